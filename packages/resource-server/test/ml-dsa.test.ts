import './newer-node.js'
import { generateKeyPairSync, sign, type JsonWebKey, type KeyObject } from 'node:crypto'
import fastify from 'fastify'
import { createTestIssuer } from 'oauth-test-issuer'
import t from 'tap'
import resourceServer from 'fastify-resource-server'
import { hasMlDsa } from '#src/keys/algorithms.js'
import { base64url, makeKey } from './hand-made-issuer.js'
import { audience, buildApp, registered, startBench, type Bench } from './protected-app.js'

// RFC 9964: ML-DSA (FIPS 204) in JOSE. Node.js has it from 24.7 on; older versions ignore such keys.

const skip = hasMlDsa() ? false : `Node.js ${process.versions.node} has no ML-DSA`

type Name = 'ML-DSA-44' | 'ML-DSA-65' | 'ML-DSA-87'
const names: readonly Name[] = ['ML-DSA-44', 'ML-DSA-65', 'ML-DSA-87']
/** Bytes of a public key and of a signature (FIPS 204 §4, table 2). */
const sizes = { 'ML-DSA-44': [1312, 2420], 'ML-DSA-65': [1952, 3309], 'ML-DSA-87': [2592, 4627] } as const

interface Pair {
  readonly privateKey: KeyObject
  readonly jwk: JsonWebKey & { kid: string; alg: string; pub: string }
}

function makePair(name: Name, kid: string = name): Pair {
  // The types of Node 20 do not list these keys.
  const { publicKey, privateKey } = generateKeyPairSync(name.toLowerCase() as 'ed25519')
  return {
    privateKey,
    jwk: { ...publicKey.export({ format: 'jwk' }), kid, use: 'sig' } as unknown as Pair['jwk'],
  }
}

const signed = (header: object, claims: object, { privateKey }: Pair): string => {
  const input = `${base64url(header)}.${base64url(claims)}`
  return `${input}.${sign(null, Buffer.from(input), privateKey).toString('base64url')}`
}

const tokenOf = (bench: Bench, pair: Pair, header: object = {}, claims: object = {}): string =>
  signed(
    { alg: pair.jwk.alg, typ: 'at+jwt', kid: pair.jwk.kid, ...header },
    // Older than any answer of the issuer, so that unknown keys are 401.
    bench.claims({ iat: bench.clock.now / 1000 - 60, ...claims }),
    pair,
  )

for (const name of names)
  t.test(`${name}: accepts tokens of listed keys by default`, { skip }, async t => {
    const bench = await startBench(t)
    const pair = makePair(name)
    bench.issuer.keys = [bench.key.jwk, pair.jwk]
    const token = tokenOf(bench, pair)
    const [publicSize, signatureSize] = sizes[name]
    t.equal(Buffer.from(pair.jwk.pub, 'base64url').length, publicSize)
    t.equal(Buffer.from(token.split('.')[2] ?? '', 'base64url').length, signatureSize)
    t.equal((await bench.call(token)).statusCode, 200)
    t.equal((await bench.call(token)).statusCode, 200, 'remembered')
    t.equal((await bench.call(bench.token())).statusCode, 200, 'others too')
    const burst = Array.from({ length: 8 }, (_, index) =>
      bench.call(tokenOf(bench, pair, {}, { jti: `${index}` })),
    )
    t.strictSame(new Set((await Promise.all(burst)).map(({ statusCode }) => statusCode)), new Set([200]))
  })

t.test('refuses invalid signatures, keys and algorithm names', { skip }, async t => {
  const bench = await startBench(t)
  const [small, medium] = [makePair('ML-DSA-44'), makePair('ML-DSA-65')]
  const other = makePair('ML-DSA-65')
  const ed25519 = makeKey('ed25519', 'EdDSA')
  bench.issuer.keys = [bench.key.jwk, small.jwk, medium.jwk, ed25519.jwk]
  await bench.call(bench.token())
  const good = tokenOf(bench, medium)
  const [header = '', claims = '', signature = ''] = good.split('.')
  const bytes = Buffer.from(signature, 'base64url')
  const signedBy = (changed: Uint8Array): string =>
    `${header}.${claims}.${Buffer.from(changed).toString('base64url')}`
  const flipped = Buffer.from(bytes)
  flipped[2000] = (flipped[2000] ?? 0) ^ 1
  const refused: Record<string, string> = {
    'one bit': signedBy(flipped),
    'shorter by a byte': signedBy(bytes.subarray(0, -1)),
    'longer by a byte': signedBy(Buffer.concat([bytes, Buffer.alloc(1)])),
    empty: `${header}.${claims}.`,
    zeros: signedBy(Buffer.alloc(bytes.length)),
    'another key': tokenOf(bench, { ...other, jwk: medium.jwk }),
    'the name of a smaller set': tokenOf(bench, medium, { alg: 'ML-DSA-44' }),
    'the name of a larger set': tokenOf(bench, small, { alg: 'ML-DSA-65' }),
    'the kid of another set': tokenOf(bench, medium, { kid: small.jwk.kid }),
    'a key of another kind': tokenOf(bench, medium, { kid: bench.key.kid }),
    'EdDSA with this key': tokenOf(bench, medium, { alg: 'EdDSA' }),
    'this name with an Ed25519 key': bench.token({}, { alg: 'ML-DSA-65' }, ed25519),
    'lower case': tokenOf(bench, medium, { alg: 'ml-dsa-65' }),
    'hashed first': tokenOf(bench, medium, { alg: 'HashML-DSA-65' }),
    'SLH-DSA': tokenOf(bench, medium, { alg: 'SLH-DSA-SHA2-128s' }),
  }
  for (const [what, token] of Object.entries(refused))
    t.equal((await bench.call(token)).statusCode, 401, what)
  t.equal((await bench.call(good)).statusCode, 200)
})

t.test('ignores keys that violate RFC 9964, and accepts all other keys', { skip }, async t => {
  const bench = await startBench(t)
  const pair = makePair('ML-DSA-65')
  const { alg: _, ...nameless } = pair.jwk
  const cases: Record<string, object> = {
    'no alg': nameless,
    'another alg': { ...pair.jwk, alg: 'ML-DSA-44' },
    'alg of another kind': { ...pair.jwk, alg: 'ES256' },
    'a shorter key': { ...pair.jwk, pub: pair.jwk.pub.slice(4) },
    'an empty key': { ...pair.jwk, pub: '' },
    'a key that is a number': { ...pair.jwk, pub: 7 },
    'for encryption': { ...pair.jwk, use: 'enc' },
    'kty OKP': { ...pair.jwk, kty: 'OKP' },
  }
  for (const [what, jwk] of Object.entries(cases)) {
    bench.issuer.keys = [bench.key.jwk, jwk as JsonWebKey]
    bench.clock.now += 400_000
    t.equal((await bench.call(bench.token({ jti: what }))).statusCode, 200, what)
    t.equal((await bench.call(tokenOf(bench, pair, {}, { jti: what }))).statusCode, 401, what)
  }
})

t.test('does not keep the private part of a published key', { skip }, async t => {
  const bench = await startBench(t)
  const pair = makePair('ML-DSA-44')
  bench.issuer.keys = [{ ...pair.privateKey.export({ format: 'jwk' }), kid: pair.jwk.kid }]
  t.equal((await bench.call(tokenOf(bench, pair))).statusCode, 200)
})

t.test('validates the option algorithms', { skip }, async t => {
  const pair = makePair('ML-DSA-65')
  const app = buildApp(t)
  await app.register(resourceServer, { ...registered, keys: [pair.jwk], algorithms: ['ML-DSA-65'] })
  const bench = await startBench(t, { algorithms: ['ES256'] })
  bench.issuer.keys = [bench.key.jwk, pair.jwk]
  t.equal((await bench.call(tokenOf(bench, pair))).statusCode, 401)
  t.equal(bench.lastReason(), 'algorithm')
  t.equal((await bench.call(bench.token())).statusCode, 200)
})

for (const name of names)
  t.test(`${name} with oauth-test-issuer: accepts good tokens and refuses bad ones`, { skip }, async t => {
    await using issuer = await createTestIssuer({ audience, algorithm: name })
    const app = fastify()
    t.teardown(() => app.close())
    await app.register(resourceServer, { issuer: issuer.url, audience })
    app.get('/', async ({ auth }) => auth.clientId)
    const call = async (token: string) =>
      (await app.inject({ url: '/', headers: { authorization: `Bearer ${token}` } })).statusCode
    t.equal(await call(await issuer.token()), 200)
    for (const { name: flaw, token } of await issuer.badTokens()) t.not(await call(token), 200, flaw)
    await issuer.rotateKeys()
    t.equal(await call(await issuer.token()), 200)
  })

t.test('refuses ML-DSA for DPoP proofs', async t => {
  await t.rejects(
    async () =>
      buildApp(t).register(resourceServer, { ...registered, dpop: { algorithms: ['ML-DSA-65' as never] } }),
    {
      code: 'OAUTH_INVALID_OPTION',
      message: /`dpop\.algorithms\[0\]` is "ML-DSA-65"; expected only asymmetric algorithms: .*Ed25519$/,
    },
  )
})
