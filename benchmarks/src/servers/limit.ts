// Bare Fastify plus one `crypto.verify` a request and nothing else: no claims, no scopes, no checks of the token's
// form. Whoever verifies each signature on the main thread cannot be faster.
import { createPublicKey, verify, type JsonWebKey, type KeyObject } from 'node:crypto'
import Fastify from 'fastify'
import { serve } from '../harness/serve.js'
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
    const end = token.lastIndexOf('.')
    if (isValid(Buffer.from(token.slice(0, end), 'latin1'), Buffer.from(token.slice(end + 1), 'base64url')))
      return done()
    void reply.code(401).send()
  })
  app.get('/orders', async () => answer)
  return app.listen({ port: 0, host: '127.0.0.1' })
})

function verifierOf(key: KeyObject): (data: Buffer, signature: Buffer) => boolean {
  if (key.asymmetricKeyType === 'rsa') return (data, signature) => verify('sha256', data, key, signature)
  if (key.asymmetricKeyType === 'ed25519') return (data, signature) => verify(null, data, key, signature)
  const ecdsa = { key, dsaEncoding: 'ieee-p1363' } as const
  return (data, signature) => verify('sha256', data, ecdsa, signature)
}
