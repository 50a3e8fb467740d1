import { createPublicKey } from 'node:crypto'
import fastify from 'fastify'
import t from 'tap'
import resourceServer from 'fastify-resource-server'
import { hasMlDsa } from '#src/keys/algorithms.js'
import { makeKey, startHandMadeIssuer } from './hand-made-issuer.js'
import { audience, buildApp, registered } from './protected-app.js'

const old = hasMlDsa() ? `Node.js ${process.versions.node} has ML-DSA` : false

t.test('names the missing ML-DSA support of an older Node.js', { skip: old }, async t => {
  t.throws(() => createPublicKey({ key: { kty: 'AKP', alg: 'ML-DSA-65', pub: 'AAAA' }, format: 'jwk' }))
  for (const algorithms of [['ML-DSA-65'], ['ES256', 'ML-DSA-44']] as const)
    await t.rejects(async () => buildApp(t).register(resourceServer, { ...registered, algorithms }), {
      code: 'OAUTH_INVALID_OPTION',
      message: new RegExp(
        `option \`algorithms\\[${algorithms.length - 1}\\]\` is "ML-DSA-\\d+", which this version of Node.js \\(${process.versions.node}\\) does not support; run Node.js 24.7`,
      ),
    })
  const jwk = { kty: 'AKP', alg: 'ML-DSA-65', kid: 'new', pub: Buffer.alloc(1952).toString('base64url') }
  await t.rejects(async () => buildApp(t).register(resourceServer, { ...registered, keys: [jwk] }), {
    message: /`keys` contains no key .*: the JWK member `kty` is AKP, which requires Node\.js 24\.7/,
  })
  const key = makeKey('first')
  const issuer = await startHandMadeIssuer(t, [key])
  issuer.keys = [jwk, key.jwk]
  const logged: string[] = []
  const app = fastify({ logger: { stream: { write: (line: string) => void logged.push(line) } } })
  t.teardown(() => app.close())
  await app.register(resourceServer, { issuer: issuer.url, audience, prefetch: 'required' })
  await app.ready()
  t.match(logged.join(''), /"kid":"new","reason":"the JWK member `kty` is AKP, which requires Node\.js 24\.7/)
  t.strictSame(app.oauth.stats().issuers[0]?.kids, ['first'])
})
