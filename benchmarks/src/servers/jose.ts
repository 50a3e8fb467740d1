// What one writes by hand: a hook with jose's remote key set.
import Fastify from 'fastify'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { serve } from '../harness/serve.js'
import { answer, grants, type Trust } from './trust.js'

await serve(async ({ issuer, jwksUri, audience, scope }: Trust) => {
  const app = Fastify()
  const keys = createRemoteJWKSet(new URL(jwksUri))
  const checks = {
    issuer,
    audience,
    typ: 'at+jwt',
    requiredClaims: ['sub', 'client_id', 'iat', 'jti', 'exp'],
  }
  app.addHook('onRequest', async (request, reply) => {
    const token = request.headers.authorization?.slice('Bearer '.length) ?? ''
    try {
      const { payload } = await jwtVerify(token, keys, checks)
      if (!grants(payload['scope'], scope)) await reply.code(403).send()
    } catch {
      await reply.code(401).send()
    }
  })
  app.get('/orders', async () => answer)
  return app.listen({ port: 0, host: '127.0.0.1' })
})
