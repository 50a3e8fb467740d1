// The least that can be asked of whoever checks tokens: `limit`, and the claims read as JSON, with issuer, audience, time
// and scope compared. It remembers nothing, freezes nothing, and takes any spelling for a token.
import { createPublicKey, type JsonWebKey } from 'node:crypto'
import Fastify, { type FastifyReply } from 'fastify'
import { serve } from '../harness/serve.js'
import type { Answer } from './refusing.js'
import { partsOf, verifierOf } from './signature.js'
import { answer, grants, type Trust } from './trust.js'

interface Config extends Trust {
  /** What is said to a token whose time is over. */
  readonly late?: Answer
}

interface Claims {
  readonly iss: string
  readonly aud: string
  readonly exp: number
  readonly scope: string
}

declare module 'fastify' {
  interface FastifyRequest {
    claims: Claims | null
  }
}

await serve(async ({ issuer, jwksUri, audience, scope, late }: Config) => {
  const { keys } = (await (await fetch(jwksUri)).json()) as { keys: JsonWebKey[] }
  const [jwk] = keys
  if (jwk === undefined) throw new Error('the issuer has no key')
  const isValid = verifierOf(createPublicKey({ key: jwk, format: 'jwk' }))

  const refuse = (reply: FastifyReply): void => {
    if (late === undefined) void reply.code(401).send()
    else void reply.code(late.status).header('www-authenticate', late.challenge).send(late.body)
  }

  const app = Fastify()
  app.decorateRequest('claims', null)
  app.addHook('onRequest', (request, reply, done) => {
    const token = request.headers.authorization?.slice('Bearer '.length) ?? ''
    const start = token.indexOf('.') + 1
    const payload = Buffer.from(token.slice(start, token.indexOf('.', start)), 'base64url')
    const claims = JSON.parse(payload.toString()) as Claims
    if (claims.exp * 1000 <= Date.now()) return refuse(reply)
    if (claims.iss !== issuer || claims.aud !== audience || !grants(claims.scope, scope)) return refuse(reply)
    if (!isValid(...partsOf(token))) return refuse(reply)
    request.claims = claims
    done()
  })
  app.get('/orders', async () => answer)
  return app.listen({ port: 0, host: '127.0.0.1' })
})
