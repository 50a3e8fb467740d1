import Fastify from 'fastify'
import resourceServer, { type ResourceServerOptions } from 'fastify-resource-server'
import { heapUsed } from '../harness/heap.js'
import { serve } from '../harness/serve.js'
import { answer, type Trust } from './trust.js'

interface Config extends Trust {
  readonly options?: Partial<ResourceServerOptions>
}

await serve(
  async ({ issuer, jwksUri, audience, scope, options }: Config) => {
    const app = Fastify()
    await app.register(resourceServer, { issuer, jwksUri, audience, ...options })
    app.get('/orders', { config: { oauth: { scopes: [scope] } } }, async () => answer)
    return app.listen({ port: 0, host: '127.0.0.1' })
  },
  {
    memory: () => ({ heapBytes: heapUsed(), residentBytes: process.memoryUsage.rss() }),
  },
)
