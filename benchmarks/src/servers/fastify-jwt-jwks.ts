import Fastify from 'fastify'
import fastifyJwtJwks from 'fastify-jwt-jwks'
import { serve } from '../harness/serve.js'
import { answer, grants, type Trust } from './trust.js'

// Its types say `default`; what Node imports is the plugin itself, and `default` the one without fastify-plugin.
const plugin = fastifyJwtJwks as unknown as typeof fastifyJwtJwks.default

await serve(async ({ issuer, jwksUri, audience, scope }: Trust) => {
  const app = Fastify()
  await app.register(plugin, { jwksUrl: jwksUri, issuer, audience })
  app.addHook('onRequest', async (request, reply) => {
    await app.authenticate(request)
    if (!grants((request.user as { scope?: string }).scope, scope)) await reply.code(403).send()
  })
  app.get('/orders', async () => answer)
  return app.listen({ port: 0, host: '127.0.0.1' })
})
