// The route without protection: what everything else is compared with.
import Fastify from 'fastify'
import { serve } from '../harness/serve.js'
import { answer } from './trust.js'

await serve(async () => {
  const app = Fastify()
  app.get('/orders', async () => answer)
  return app.listen({ port: 0, host: '127.0.0.1' })
})
