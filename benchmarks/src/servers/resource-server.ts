import Fastify from 'fastify'
import resourceServer from 'fastify-resource-server'
import { serve } from '../harness/serve.js'
import { answer, type Trust } from './trust.js'

await serve(async ({ issuer, jwksUri, audience, scope }: Trust) => {
  const app = Fastify()
  await app.register(resourceServer, { issuer, jwksUri, audience })
  app.get('/orders', { config: { oauth: { scopes: [scope] } } }, async () => answer)
  return app.listen({ port: 0, host: '127.0.0.1' })
})
