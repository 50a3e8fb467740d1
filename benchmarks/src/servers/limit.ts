// Bare Fastify plus one `crypto.verify` a request and nothing else: no claims, no scopes, no checks of the token's
// form. Whoever verifies each signature on the main thread cannot be faster.
import { createPublicKey, type JsonWebKey } from 'node:crypto'
import Fastify from 'fastify'
import { serve } from '../harness/serve.js'
import { partsOf, verifierOf } from './signature.js'
import { answer, type Trust } from './trust.js'

await serve(async ({ jwksUri }: Trust) => {
  const { keys } = (await (await fetch(jwksUri)).json()) as { keys: (JsonWebKey & { kty: string })[] }
  const [jwk] = keys
  if (jwk === undefined) throw new Error('the issuer has no key')
  const key = createPublicKey({ key: jwk, format: 'jwk' })
  const isValid = verifierOf(key)

  const app = Fastify()
  app.addHook('onRequest', (request, reply, done) => {
    const token = request.headers.authorization?.slice('Bearer '.length) ?? ''
    if (isValid(...partsOf(token))) return done()
    void reply.code(401).send()
  })
  app.get('/orders', async () => answer)
  return app.listen({ port: 0, host: '127.0.0.1' })
})
