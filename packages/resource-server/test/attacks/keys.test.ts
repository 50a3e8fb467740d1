import fastify from 'fastify'
import resourceServer from 'fastify-resource-server'
import t from 'tap'
import { makeKey, signHmac, signRaw, startHandMadeIssuer } from '../hand-made-issuer.js'
import { startBench } from '../protected-app.js'
import { refuses } from './refuses.js'

t.test('neither uses nor fetches keys that the token names in its header', async t => {
  const bench = await startBench(t)
  const attacker = makeKey('attacker')
  const trap = await startHandMadeIssuer(t, [attacker])
  await bench.call(bench.token({ jti: 'warm' }))
  const before = bench.issuer.asked.length
  await refuses(t, bench, {
    'jwk in the header': bench.token({}, { jwk: attacker.jwk, kid: 'first' }, attacker),
    'jku in the header': bench.token({}, { jku: `${trap.url}/jwks`, kid: 'first' }, attacker),
    'x5u in the header': bench.token({}, { x5u: `${trap.url}/jwks`, kid: 'first' }, attacker),
    'x5c in the header': bench.token(
      {},
      { x5c: [attacker.publicKey.export({ type: 'spki', format: 'der' }).toString('base64')], kid: 'first' },
      attacker,
    ),
    'iss of the attacker': bench.token({ iss: trap.url }, {}, attacker),
    'jwk without a kid': bench.token({}, { jwk: attacker.jwk, kid: undefined }, attacker),
  })
  t.equal(trap.asked.length, 0, 'the attacker is never asked')
  t.ok(bench.issuer.asked.length <= before + 1, 'one request at most, for the unknown key id')
})

t.test('refuses unknown, malformed and misleading key ids', async t => {
  const bench = await startBench(t, { unknownKeyCooldownMs: 0 })
  await bench.call(bench.token({ jti: 'warm' }))
  const kids: Record<string, unknown> = {
    unknown: 'second',
    empty: '',
    number: 1,
    list: ['first'],
    object: { kid: 'first' },
    null: null,
    true: true,
    __proto__: '__proto__',
    constructor: 'constructor',
    path: '../../first',
    sql: "' or 1=1 --",
    nul: 'first\0',
    'eight kilobytes': 'k'.repeat(8_192),
    'another case': 'FIRST',
    space: 'first ',
  }
  await refuses(
    t,
    bench,
    Object.fromEntries(Object.entries(kids).map(([name, kid]) => [`kid ${name}`, bench.token({}, { kid })])),
  )
  t.equal(
    (await bench.call(bench.token({ jti: 'kidless' }, { kid: undefined }))).statusCode,
    200,
    'no kid is fine where one key fits',
  )
  const other = makeKey('second')
  bench.issuer.keys = [bench.key.jwk, other.jwk]
  bench.clock.now += 400_000
  t.equal((await bench.call(bench.token())).statusCode, 200)
  t.equal(
    (await bench.call(bench.token({ jti: 'kidless again' }, { kid: undefined }))).statusCode,
    401,
    'and not where two do',
  )
})

t.test('ignores private members and symmetric keys of a JWKS', async t => {
  const bench = await startBench(t)
  const secret = 'c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA'
  const weak = makeKey('weak', 'RS256')
  bench.issuer.keys = [
    bench.key.jwk,
    { kty: 'oct', k: secret, kid: 'oct', alg: 'HS256' },
    { ...makeKey('enc').jwk, kid: 'enc', use: 'enc' },
    { ...weak.jwk, kid: 'wrong-curve', kty: 'EC' },
  ]
  const iat = bench.clock.now / 1000
  bench.clock.now += 400_000
  await refuses(t, bench, {
    'HS256 with a symmetric key of the JWKS': signHmac(
      bench.header({ alg: 'HS256', kid: 'oct' }),
      bench.claims(),
      Buffer.from(secret, 'base64url'),
    ),
    'a key for encryption': bench.token({ iat }, { kid: 'enc' }, weak),
    'a key of the wrong type': bench.token({ iat }, { kid: 'wrong-curve' }, weak),
  })
})
t.test('does not accept the key of another issuer with the same key id', async t => {
  const shared = 'shared'
  const [first, second] = [makeKey(shared), makeKey(shared)]
  const other = makeKey('other', 'ES384')
  const [one, two, trap] = await Promise.all([
    startHandMadeIssuer(t, [first, other]),
    startHandMadeIssuer(t, [second, other]),
    startHandMadeIssuer(t, [first]),
  ])
  const audience = 'https://api.example.com'
  const bench = await startBench(
    t,
    {
      issuer: undefined,
      audience: undefined,
      issuers: [
        { issuer: one.url, audience },
        { issuer: two.url, audience: 'https://second.example.com', algorithms: ['ES256'] },
      ],
    } as never,
    first,
  )
  const from = (iss: string, aud: string, key = first): string => bench.token({ iss, aud }, {}, key)
  t.equal((await bench.call(from(one.url, audience))).statusCode, 200)
  t.equal((await bench.call(from(two.url, 'https://second.example.com', second))).statusCode, 200)
  for (const [name, token] of Object.entries({
    "the first's token by the second's key": from(one.url, audience, second),
    "the second's token by the first's key": from(two.url, 'https://second.example.com', first),
    "the second's token for the first's audience": from(two.url, audience, second),
    'an issuer that is not configured': from('https://attacker.example.com', audience),
    'an issuer with a slash more': from(`${one.url}/`, audience),
    'a list of issuers': bench.token({ iss: [one.url], aud: audience }),
    'no issuer': bench.token({ iss: undefined, aud: audience }),
    "an algorithm that only the first's may have": bench.token(
      { iss: two.url, aud: 'https://second.example.com' },
      {},
      other,
    ),
  }))
    t.equal((await bench.call(token)).statusCode, 401, name)
  const asked = one.asked.length + two.asked.length
  for (const iss of [trap.url, `${trap.url}/`, 'https://attacker.example.com', `${one.url}@${trap.url}`])
    t.equal((await bench.call(bench.token({ iss }, { kid: 'unknown' }))).statusCode, 401, iss)
  t.strictSame(trap.asked, [], 'an issuer that is not configured is never asked')
  t.equal(one.asked.length + two.asked.length, asked, 'nor are others for its sake')
  t.equal((await bench.call(bench.token({ iss: one.url, aud: audience }, {}, other))).statusCode, 200)
})

t.test('refuses a token on a route for the audience of another issuer', async t => {
  const [one, two] = [makeKey('same'), makeKey('same')]
  const app = fastify()
  t.teardown(() => app.close())
  const now = Math.floor(Date.now() / 1000)
  const [shop, partner] = ['https://shop.example.com', 'https://partner.example.com']
  await app.register(resourceServer, {
    issuers: [
      { issuer: shop, audience: ['https://api.example.com', 'https://admin.example.com'], keys: [one.jwk] },
      { issuer: partner, audience: 'https://api.example.com', keys: [two.jwk] },
    ],
  })
  app.get(
    '/admin',
    { config: { oauth: { audience: 'https://admin.example.com' } } },
    async ({ auth }) => auth.audience,
  )
  const call = async (iss: string, key: typeof one) => {
    const aud = ['https://api.example.com', 'https://admin.example.com', 'https://else.example.com']
    const claims = { iss, aud, sub: 's', client_id: 'c', jti: 'j', iat: now, exp: now + 60 }
    const token = signRaw({ alg: 'ES256', typ: 'at+jwt', kid: 'same' }, claims, key)
    return app.inject({ url: '/admin', headers: { authorization: `Bearer ${token}` } })
  }
  const answer = await call(shop, one)
  t.equal(answer.statusCode, 200)
  t.strictSame(answer.json(), ['https://api.example.com', 'https://admin.example.com'])
  t.equal((await call(partner, two)).statusCode, 401)
})
