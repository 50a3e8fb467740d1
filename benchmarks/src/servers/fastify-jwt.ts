// @fastify/jwt with get-jwks, as the README of get-jwks has it, with the checks that it leaves to the user.
import fastifyJwt from '@fastify/jwt'
import Fastify from 'fastify'
import buildGetJwks from 'get-jwks'
import { serve } from '../harness/serve.js'
import { answer, grants, type Trust } from './trust.js'

await serve(async ({ issuer, jwksUri, audience, scope }: Trust) => {
  const app = Fastify()
  const getJwks = buildGetJwks({ jwksPath: new URL(jwksUri).pathname, issuersWhitelist: [issuer] })
  await app.register(fastifyJwt, {
    decode: { complete: true },
    secret: (_request: unknown, token: unknown, callback: (error: Error | null, key?: string) => void) => {
      const { header, payload } = token as { header: { kid: string; alg: string }; payload: { iss: string } }
      getJwks
        .getPublicKey({ kid: header.kid, domain: payload.iss, alg: header.alg })
        .then(key => callback(null, key), callback)
    },
    verify: { allowedIss: issuer, allowedAud: audience, requiredClaims: ['iss', 'aud', 'exp'] },
  })
  app.addHook('onRequest', async (request, reply) => {
    const claims = await request.jwtVerify<{ scope?: string }>()
    if (!grants(claims.scope, scope)) await reply.code(403).send()
  })
  app.get('/orders', async () => answer)
  return app.listen({ port: 0, host: '127.0.0.1' })
})
