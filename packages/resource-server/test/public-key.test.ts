import { generateKeyPairSync } from 'node:crypto'
import t from 'tap'
import { makeKey } from './hand-made-issuer.js'
import { startBench } from './protected-app.js'

const minute = 60_000

t.test('uses keys from the options without any request', async t => {
  const key = makeKey('first')
  const bench = await startBench(t, { keys: [key.jwk] }, key)
  t.equal((await bench.call(bench.token())).statusCode, 200)
  t.equal(bench.issuer.asked.length, 0)
})

t.test('uses keys without alg with every algorithm that fits', async t => {
  const bare = makeKey('bare', 'RS256')
  const bench = await startBench(t, {}, bare)
  bench.issuer.keys = [{ ...bare.publicKey.export({ format: 'jwk' }), kid: 'bare' }]
  t.equal((await bench.call(bench.token())).statusCode, 200)
  t.equal(
    (await bench.call(bench.token({ jti: 'pss' }, { alg: 'PS256' }, { ...bare, algorithm: 'PS256' })))
      .statusCode,
    200,
  )
})

t.test('ignores unusable keys with one warning each', async t => {
  const bench = await startBench(t)
  const rsa = makeKey('RSA', 'RS256').jwk
  bench.issuer.keys = [
    bench.key.jwk,
    { ...makeKey('enc').jwk, kid: 'enc', use: 'enc' },
    { kty: 'oct', k: 'AAAA', kid: 'oct' },
    { kty: 'RSA', n: 'AQAB', e: 'AQAB', kid: 'short' },
    {
      ...generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'jwk' }),
      kid: '1024',
    },
    { ...makeKey('RSA for ES256', 'RS256').jwk, alg: 'ES256' },
    { ...makeKey('P-256 for ES384').jwk, alg: 'ES384' },
    { ...makeKey('P-256 for RS256').jwk, alg: 'RS256' },
    { kty: 'EC', crv: 'secp256k1', x: 'AA', y: 'AA', kid: 'curve' },
    { ...makeKey('ops').jwk, kid: 'ops', key_ops: ['sign'] },
    { ...rsa, kid: 'exponent 1', e: 'AQ' },
    { ...rsa, kid: 'long exponent', e: String(rsa.n) },
    { ...rsa, kid: 'long modulus', n: Buffer.alloc(2_048, 0xff).toString('base64url') },
  ]
  await bench.call(bench.token())
  bench.clock.now += 6 * minute
  await bench.call(bench.token())
  bench.clock.now += 6 * minute
  await bench.call(bench.token())
  const healthy = bench.issuer.keys
  bench.issuer.keys = [...healthy.slice(1), { kty: 'oct', k: 'AAAA', kid: 'late' }]
  for (let turn = 0; turn < 3; turn += 1) {
    bench.clock.now += 6 * minute
    t.equal((await bench.call(bench.token())).statusCode, 200, 'a set without a usable key is an outage')
  }
  bench.issuer.keys = healthy
  bench.clock.now += 6 * minute
  await bench.call(bench.token())
  t.notOk(
    bench.logged.some(({ withdrawn }) => withdrawn !== undefined),
    'the key that comes back is the same',
  )
  const warned = bench.logged
    .filter(({ msg }) => msg === 'an unusable key of the issuer is ignored')
    .map(({ kid }) => kid)
  t.strictSame([...warned].sort(), [
    '1024',
    'P-256 for ES384',
    'P-256 for RS256',
    'RSA for ES256',
    'curve',
    'enc',
    'exponent 1',
    'late',
    'long exponent',
    'long modulus',
    'oct',
    'ops',
    'short',
  ])
})
