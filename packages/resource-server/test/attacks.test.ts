import { sign, X509Certificate, type JsonWebKey } from 'node:crypto'
import fastify from 'fastify'
import resourceServer from 'fastify-resource-server'
import t, { type Test } from 'tap'
import { createTokenCache } from '#src/verify/token-cache.js'
import { makeCertificate } from './certificate.js'
import {
  base64url,
  jwksRequests,
  makeKey,
  signatureOf,
  signHmac,
  signRaw,
  startHandMadeIssuer,
} from './hand-made-issuer.js'
import { startBench, type Bench } from './protected-app.js'

/** Each is a token that must be refused with 401, never accepted, never a 5xx. */
async function refuses(t: Test, bench: Bench, tokens: Record<string, string>): Promise<void> {
  const check = (name: string, { statusCode, headers }: Awaited<ReturnType<Bench['call']>>): void => {
    t.ok(statusCode === 401 || statusCode === 400, `${name}: ${statusCode}`)
    t.match(headers['www-authenticate'], /^Bearer error="invalid_(token|request)"/, name)
  }
  for (const [name, token] of Object.entries(tokens)) check(name, await bench.call(token))
  // All at once, so that signatures are verified in the thread pool too.
  const answers = Object.entries(tokens).map(async ([name, token]) =>
    check(`${name}, among others`, await bench.call(token)),
  )
  await Promise.all(answers)
  t.equal((await bench.call(bench.token())).statusCode, 200, 'a good token still passes')
}

t.test('unsigned tokens', async t => {
  const bench = await startBench(t)
  const tokens: Record<string, string> = {}
  for (const alg of ['none', 'None', 'NONE', 'nOnE', ' none', 'none ', '']) {
    const input = `${base64url(bench.header({ alg }))}.${base64url(bench.claims())}`
    tokens[`alg ${JSON.stringify(alg)}, no signature`] = `${input}.`
    tokens[`alg ${JSON.stringify(alg)}, two segments`] = input
    tokens[`alg ${JSON.stringify(alg)}, some signature`] = `${input}.${base64url('signature')}`
    tokens[`alg ${JSON.stringify(alg)}, the right signature`] = signRaw(
      bench.header({ alg }),
      bench.claims(),
      bench.key,
    )
  }
  await refuses(t, bench, tokens)
})

t.test('HMAC keyed with the public key', async t => {
  const certificate = new X509Certificate((await makeCertificate('issuer')).cert).raw.toString('base64')
  for (const algorithm of ['RS256', 'ES256'] as const) {
    const bench = await startBench(t, {}, makeKey('first', algorithm))
    bench.issuer.keys = [{ ...bench.key.jwk, x5c: [certificate] } as JsonWebKey]
    const spki = bench.key.publicKey.export({ type: 'spki', format: 'pem' }).toString()
    const secrets = {
      'the PEM': spki,
      'the PEM without its last line break': spki.trimEnd(),
      'the DER': bench.key.publicKey.export({ type: 'spki', format: 'der' }),
      'the JWK': JSON.stringify(bench.key.jwk),
      'the bare JWK': JSON.stringify(bench.key.publicKey.export({ format: 'jwk' })),
      'the DER in base64, as x5c has it': bench.key.publicKey
        .export({ type: 'spki', format: 'der' })
        .toString('base64'),
      'a certificate as x5c has it': certificate,
      'the bytes of a certificate': Buffer.from(certificate, 'base64'),
      'the modulus or the coordinate': Buffer.from(bench.key.jwk.n ?? bench.key.jwk.x ?? '', 'base64url'),
      nothing: '',
    }
    await refuses(
      t,
      bench,
      Object.fromEntries(
        Object.entries(secrets).flatMap(([name, secret]) =>
          ['HS256', 'HS512', algorithm].map(alg => [
            `${alg} keyed with ${name}`,
            signHmac(bench.header({ alg }), bench.claims(), secret),
          ]),
        ),
      ),
    )
  }
})

t.test('an algorithm that is not the one of the key', async t => {
  const rsa = makeKey('rsa', 'RS256')
  const bench = await startBench(t, {}, rsa)
  const ec = makeKey('ec', 'ES256')
  const ec384 = makeKey('ec384', 'ES384')
  bench.issuer.keys = [rsa.jwk, ec.jwk, ec384.jwk]
  t.equal((await bench.call(bench.token({}, {}, ec))).statusCode, 200, 'the other keys are listed')
  const probabilistic = { ...rsa, algorithm: 'PS256' as const }
  await refuses(t, bench, {
    'PS256 signature under a key listed for RS256': bench.token({}, {}, probabilistic),
    'RS256 in the header, PS256 signature': signRaw(bench.header(), bench.claims(), probabilistic),
    'ES256 with the key id of the RSA key': bench.token({}, { kid: 'rsa' }, ec),
    'ES384 with the key id of the P-256 key': bench.token({}, { kid: 'ec' }, ec384),
    'P-384 key says ES256': bench.token({}, { alg: 'ES256' }, ec384),
    'RS512 in the header': bench.token({}, { alg: 'RS512' }),
    'lower case': bench.token({}, { alg: 'rs256' }),
    'alg is a number': bench.token({}, { alg: 256 }),
    'alg is a list': bench.token({}, { alg: ['RS256'] }),
    'alg is absent': bench.token({}, { alg: undefined }),
  })
})

t.test('an algorithm the application does not allow', async t => {
  const bench = await startBench(t, { algorithms: ['RS256'] }, makeKey('first', 'RS256'))
  const ec = makeKey('ec', 'ES256')
  bench.issuer.keys = [bench.key.jwk, ec.jwk]
  t.equal((await bench.call(bench.token({}, {}, ec))).statusCode, 401)
  t.equal(bench.lastReason(), 'algorithm')
  await refuses(t, bench, { ES256: bench.token({}, {}, ec) })
})

t.test('signatures that are not the signature', async t => {
  for (const algorithm of ['ES256', 'ES384', 'RS256', 'PS256', 'EdDSA'] as const) {
    const bench = await startBench(t, {}, makeKey('first', algorithm))
    const good = bench.token()
    const input = good.slice(0, good.lastIndexOf('.'))
    const signature = signatureOf(input, bench.key)
    const withSignature = (bytes: Buffer): string => `${input}.${bytes.toString('base64url')}`
    const flipped = Buffer.from(signature)
    flipped[3] = (flipped[3] ?? 0) ^ 1
    await refuses(t, bench, {
      [`${algorithm}: r = s = 0`]: withSignature(Buffer.alloc(signature.length)),
      [`${algorithm}: all ones`]: withSignature(Buffer.alloc(signature.length, 0xff)),
      [`${algorithm}: one bit flipped`]: withSignature(flipped),
      [`${algorithm}: truncated`]: withSignature(signature.subarray(0, -1)),
      [`${algorithm}: extended`]: withSignature(Buffer.concat([signature, Buffer.from([0])])),
      [`${algorithm}: one byte`]: withSignature(Buffer.from([0])),
      [`${algorithm}: r = s = 1 as DER`]: withSignature(Buffer.from('3006020101020101', 'hex')),
      [`${algorithm}: zeros in front`]: withSignature(Buffer.concat([Buffer.alloc(2), signature])),
      [`${algorithm}: the first half`]: withSignature(signature.subarray(0, signature.length / 2)),
      [`${algorithm}: twice`]: withSignature(Buffer.concat([signature, signature])),
      [`${algorithm}: of another payload`]: `${good.split('.').slice(0, 1).join('.')}.${base64url(bench.claims({ scope: 'read write' }))}.${base64url(signature)}`,
      [`${algorithm}: of another key`]: signRaw(bench.header(), bench.claims(), makeKey('first', algorithm)),
    })
  }
})

t.test('the right ECDSA signature, in the encoding of TLS and X.509', async t => {
  for (const [algorithm, hash] of [
    ['ES256', 'sha256'],
    ['ES384', 'sha384'],
  ] as const) {
    const bench = await startBench(t, {}, makeKey('first', algorithm))
    const input = `${base64url(bench.header())}.${base64url(bench.claims())}`
    const der = sign(hash, Buffer.from(input), { key: bench.key.privateKey, dsaEncoding: 'der' })
    const order =
      algorithm === 'ES256'
        ? 'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551'
        : `${'f'.repeat(48)}c7634d81f4372ddf581a0db248b0a77aecec196accc52973`
    await refuses(t, bench, {
      [`${algorithm} as DER`]: `${input}.${base64url(der)}`,
      [`${algorithm}: r = s = the order of the curve`]: `${input}.${base64url(Buffer.from(order + order, 'hex'))}`,
      [`${algorithm}: r = 1, s = 0`]: `${input}.${base64url(Buffer.concat([Buffer.alloc(order.length / 2 - 1), Buffer.from([1]), Buffer.alloc(order.length / 2)]))}`,
    })
  }
})

t.test('keys that the token brings along are not used, and nothing is fetched for them', async t => {
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

t.test('key ids', async t => {
  const bench = await startBench(t)
  await bench.call(bench.token({ jti: 'warm' }))
  const before = jwksRequests(bench.issuer)
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
  t.ok(jwksRequests(bench.issuer) - before <= 1, 'all of them together cause one request')
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

t.test('headers that ask for processing nobody needs', async t => {
  const bench = await startBench(t)
  await refuses(t, bench, {
    crit: bench.token({}, { crit: ['exp'], exp: 1 }),
    'crit, empty': bench.token({}, { crit: [] }),
    'crit, null': bench.token({}, { crit: null }),
    'b64 false': bench.token({}, { b64: false, crit: ['b64'] }),
    'b64 false without crit': bench.token({}, { b64: false }),
    zip: bench.token({}, { zip: 'DEF' }),
    'nested JWT': bench.token({}, { cty: 'JWT' }),
    JWE: bench.token({}, { alg: 'RSA-OAEP', enc: 'A128GCM' }),
    'JWE in five segments': `${bench.token()}.aaaa.aaaa`,
  })
})

t.test('tokens of another kind', async t => {
  const bench = await startBench(t)
  await refuses(t, bench, {
    'ID token': bench.token({ nonce: 'n' }, { typ: 'JWT' }),
    'no typ': bench.token({}, { typ: undefined }),
    'logout token': bench.token(
      { events: { 'http://schemas.openid.net/event/backchannel-logout': {} } },
      { typ: 'logout+jwt' },
    ),
    'logout token that says at+jwt': bench.token({ events: {} }),
    'DPoP proof': bench.token({ htm: 'GET' }, { typ: 'dpop+jwt' }),
    'security event': bench.token({}, { typ: 'secevent+jwt' }),
    'typ is a list': bench.token({}, { typ: ['at+jwt'] }),
    'typ with a parameter': bench.token({}, { typ: 'at+jwt; x=1' }),
    'twice application/': bench.token({}, { typ: 'application/application/at+jwt' }),
  })
  for (const typ of ['at+jwt', 'AT+JWT', 'application/at+jwt'])
    t.equal((await bench.call(bench.token({}, { typ }))).statusCode, 200, typ)
})

t.test('a token that is bound to a key, as a plain bearer token', async t => {
  const bench = await startBench(t)
  for (const cnf of [{ jkt: 'thumbprint' }, { 'x5t#S256': 'thumbprint' }, {}, null, 'text']) {
    t.equal((await bench.call(bench.token({ cnf }))).statusCode, 401, JSON.stringify(cnf))
    t.equal(bench.lastReason(), 'binding')
  }
})

t.test('another issuer with the same key id', async t => {
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

t.test("an issuer cannot open a route that is for another issuer's audience", async t => {
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

t.test('encodings', async t => {
  const bench = await startBench(t)
  const good = bench.token()
  const [header = '', payload = '', signature = ''] = good.split('.')
  const last = signature.slice(-1)
  const sibling = String.fromCodePoint((last.codePointAt(0) ?? 0) + 1)
  const rawPayload = (bytes: Buffer): string => signRaw(bench.header(), bytes, bench.key)
  const json = JSON.stringify(bench.claims())
  await refuses(t, bench, {
    'padding in the signature': `${good}==`,
    'padding in the payload': `${header}.${payload}==.${signature}`,
    'the other alphabet': `${header}.${payload}.${signature.replaceAll('-', '+').replaceAll('_', '/')}+/`,
    'two segments': `${header}.${payload}`,
    'four segments': `${good}.${signature}`,
    'five segments': `${good}.a.b`,
    'no header': `.${payload}.${signature}`,
    'no payload': `${header}..${signature}`,
    'no signature': `${header}.${payload}.`,
    dots: '...',
    'one dot': '.',
    'a last character with spare bits': `${header}.${payload}.${signature.slice(0, -1)}${sibling}`,
    'one character too many': `${header}.${payload}a.${signature}`,
    'payload that is not UTF-8': rawPayload(
      Buffer.concat([
        Buffer.from(json.slice(0, -1)),
        Buffer.from(',"x":"'),
        Buffer.from([0xc3, 0x28]),
        Buffer.from('"}'),
      ]),
    ),
    'payload with a byte order mark': rawPayload(
      Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from(json)]),
    ),
    'payload that is a list': rawPayload(Buffer.from('[]')),
    'payload that is null': rawPayload(Buffer.from('null')),
    'payload that is a number': rawPayload(Buffer.from('1')),
    'payload that is text': rawPayload(Buffer.from('"text"')),
    'payload that is cut off': rawPayload(Buffer.from(json.slice(0, -1))),
    'payload that is empty JSON': rawPayload(Buffer.from('{}')),
    'header that is a list': signRaw(Buffer.from('[]'), bench.claims(), bench.key),
    'header that is null': signRaw(Buffer.from('null'), bench.claims(), bench.key),
    '10,000 lists deep': rawPayload(Buffer.from(`{"x":${'['.repeat(10_000)}${']'.repeat(10_000)}}`)),
    'as many lists deep as fit': rawPayload(Buffer.from(`{"x":${'['.repeat(5_900)}${']'.repeat(5_900)}}`)),
    'header 5,000 objects deep': signRaw(
      Buffer.from(`${'{"alg":'.repeat(1_500)}1${'}'.repeat(1_500)}`),
      bench.claims(),
      bench.key,
    ),
    'header that is not UTF-8': signRaw(
      Buffer.concat([
        Buffer.from('{"alg":"ES256","typ":"at+jwt","kid":"first","x":"'),
        Buffer.from([0xff, 0x22, 0x7d]),
      ]),
      bench.claims(),
      bench.key,
    ),
    'header with a byte order mark': signRaw(
      `\ufeff${JSON.stringify(bench.header())}`,
      bench.claims(),
      bench.key,
    ),
    '100 KB': bench.token({ padding: 'x'.repeat(75_000) }),
    garbage: 'garbage',
    'an opaque token': 'a'.repeat(43),
  })
})

/** A JSON object with one member more, first and last. */
function withMember(json: string, member: string): string[] {
  return [json.replace('{', `{${member},`), `${json.slice(0, -1)},${member}}`]
}

t.test('characters that no header could carry', async t => {
  const bench = await startBench(t)
  const good = bench.token()
  const [header = '', payload = '', signature = ''] = good.split('.')
  for (const [name, token] of Object.entries({
    'NUL at the end': `${good}\0`,
    'NUL inside': `${header}.${payload}\0.${signature}`,
    'a line break at the end': `${good}\n`,
    'a line break inside': `${header}.${payload.slice(0, 20)}\r\n${payload.slice(20)}.${signature}`,
    'a space in front': ` ${good}`,
    'a tab': `${header}.\t${payload}.${signature}`,
    'a space no one sees': `${good}\u200b`,
    'a byte order mark': `\ufeff${good}`,
    'half a surrogate pair': `${header}.${payload}\ud800.${signature}`,
    'letters that look alike': good.replace(/[aeo]/, 'о'),
    nothing: '',
    '100 KB': 'a'.repeat(100_000),
    '100,000 dots': '.'.repeat(100_000),
  }))
    await t.rejects(bench.app.oauth.verify(token), { code: 'OAUTH_INVALID_TOKEN' }, name)
  for (const token of [undefined, null, 5, {}, [good], Buffer.from(good)])
    await t.rejects(bench.app.oauth.verify(token as never), { code: 'OAUTH_INVALID_TOKEN' })
  t.match(await bench.app.oauth.verify(good), { clientId: 'payment' })
})

t.test('members that come twice', async t => {
  const bench = await startBench(t)
  const [header, claims] = [JSON.stringify(bench.header()), JSON.stringify(bench.claims())]
  const tokens: Record<string, string> = {}
  for (const member of [
    '"iss":"https://evil.example.com"',
    '"aud":"https://api.example.com"',
    '"exp":4000000000',
    '"scope":"read write"',
    String.raw`"\u0073cope":"read write"`,
    '"sub" : "admin"',
    '"jti":{"a":1}',
  ])
    for (const [place, json] of withMember(claims, member).entries())
      tokens[`${member} ${place}`] = signRaw(header, json, bench.key)
  for (const member of ['"alg":"none"', '"alg":"ES256"', '"typ":"at+jwt"', '"kid":"other"'])
    for (const [place, json] of withMember(header, member).entries())
      tokens[`header ${member} ${place}`] = signRaw(json, claims, bench.key)
  await refuses(t, bench, tokens)
  for (const [name, member] of Object.entries({
    'a name that is also a value': '"a":"iss","b":"iss"',
    'the same name further in': '"act":{"sub":"a","iss":"b","aud":["c"]}',
    'quotes, braces and colons in text': String.raw`"a":"\"{,:}[\\","b\"{:":1`,
    __proto__: '"__proto__":{"sub":"admin"}',
    'white space': '\n\t"a" :\r\n { "b" : [ { "c" : 1 } , "d:e" ] }',
  }))
    for (const json of withMember(claims, member))
      t.equal((await bench.call(signRaw(header, json, bench.key))).statusCode, 200, name)
})

t.test('scopes are compared whole, and with their case', async t => {
  const bench = await startBench(t, { scopes: ['read', 'write'] })
  for (const scope of [
    'rea',
    'reads',
    'read:all',
    'Read',
    'READ',
    'read,write',
    'write,read',
    'write\tread',
    'write\nread',
    'write\u00a0read',
    '*',
    'read*',
    're ad',
    '',
    ' ',
    'rеad',
    ['write read'],
    [],
    [['read']],
    { read: true },
    1,
    true,
    null,
  ]) {
    const { statusCode, headers } = await bench.call(bench.token({ scope }))
    t.equal(statusCode, 403, JSON.stringify(scope))
    t.match(headers['www-authenticate'], 'error="insufficient_scope"')
  }
  for (const scope of ['read', 'write read', 'read  write', ['read', 'write']])
    t.equal(
      (await bench.call(bench.token({ scope, jti: JSON.stringify(scope) }))).statusCode,
      200,
      JSON.stringify(scope),
    )
})

t.test('where and how the token comes', async t => {
  const bench = await startBench(t)
  const token = bench.token()
  const cases: [name: string, authorization: string | undefined, status: number][] = [
    ['nothing', undefined, 401],
    ['Basic', `Basic ${Buffer.from('a:b').toString('base64')}`, 401],
    ['DPoP', `DPoP ${token}`, 401],
    ['no scheme', token, 401],
    ['empty', '', 401],
    ['Bearer alone', 'Bearer', 400],
    ['Bearer and a space', 'Bearer ', 400],
    ['two spaces', `Bearer  ${token}`, 400],
    ['a tab', `Bearer\t${token}`, 400],
    ['two tokens', `Bearer ${token} ${token}`, 400],
    ['comma-joined', `Bearer ${token}, Bearer ${token}`, 400],
    ['comma after the scheme', `Bearer, ${token}`, 400],
    ['quoted', `Bearer "${token}"`, 400],
    ['scheme in lower case', `bearer ${token}`, 200],
    ['scheme in upper case', `BEARER ${token}`, 200],
  ]
  for (const [name, authorization, status] of cases)
    t.equal((await bench.send(authorization)).statusCode, status, name)
  t.equal((await bench.app.inject({ url: `/read?access_token=${token}` })).statusCode, 401, 'in the query')
  const form = {
    url: '/read',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    payload: `access_token=${token}`,
  }
  t.equal((await bench.app.inject(form)).statusCode, 401, 'in a form')
  const posting = fastify()
  t.teardown(() => posting.close())
  posting.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, async () => ({}))
  await posting.register(resourceServer, {
    issuer: bench.issuer.url,
    audience: 'https://api.example.com',
    clock: () => bench.clock.now,
  })
  posting.post('/read', async () => 'in')
  t.equal((await posting.inject({ ...form, method: 'POST' })).statusCode, 401, 'in a form that is posted')
  const headers = { ...form.headers, authorization: `Bearer ${token}` }
  t.equal((await posting.inject({ ...form, method: 'POST', headers })).statusCode, 200, 'the form is read')
  t.equal(
    (await bench.app.inject({ url: '/read', cookies: { access_token: token } })).statusCode,
    401,
    'in a cookie',
  )
})

t.test('two Authorization headers over real HTTP', async t => {
  const bench = await startBench(t)
  const address = await bench.app.listen({ host: '127.0.0.1', port: 0 })
  const { connect } = await import('node:net')
  const { port } = new URL(address)
  const token = bench.token()
  const answer = await new Promise<string>((resolve, reject) => {
    const socket = connect(Number(port), '127.0.0.1', () =>
      socket.write(
        `GET /read HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nAuthorization: Bearer ${token}\r\nConnection: close\r\n\r\n`,
      ),
    )
    let text = ''
    socket.on('data', chunk => (text += String(chunk)))
    socket.on('end', () => resolve(text))
    socket.on('error', reject)
  })
  t.match(answer, /^HTTP\/1\.1 400 /)
  t.match(answer, 'error="invalid_request"')
})

t.test('a flood of garbage pushes no verified token out', async t => {
  const cache = createTokenCache(2, () => 0)
  const bench = await startBench(t, { cacheSize: 2 })
  const stranger = makeKey('first')
  const good = bench.token({ jti: 'good' })
  const remembered = await bench.app.oauth.verify(good)
  for (let index = 0; index < 100; index += 1)
    t.equal((await bench.call(bench.token({ jti: `${index}` }, {}, stranger))).statusCode, 401)
  t.equal(bench.app.oauth.stats().cachedTokens, 1, 'what was refused is not remembered')
  t.equal(await bench.app.oauth.verify(good), remembered, 'the very same: it was not verified again')
  const verified = {
    token: {} as never,
    key: {} as never,
    keys: { holds: () => true } as never,
    usableUntil: 1,
  }
  cache.set('good', verified)
  for (let index = 0; index < 100; index += 1) t.equal(cache.get(`garbage ${index}`), undefined)
  t.equal(cache.get('good'), verified, 'looking for what is not there evicts nothing')
  t.equal(cache.size, 1)
  t.equal((await bench.call(good)).statusCode, 200)
})

t.test('a text that ends as a verified token does is not taken for it', async t => {
  const cache = createTokenCache(10, () => 0)
  const verified = {
    token: {} as never,
    key: {} as never,
    keys: { holds: () => true } as never,
    usableUntil: 1,
  }
  const signature = 's'.repeat(86)
  cache.set(`header.payload.${signature}`, verified)
  t.ok(cache.has(`header.payload.${signature}`))
  for (const other of [
    `header.other00.${signature}`,
    `.${signature}`,
    signature,
    `header.payload.x${signature}`,
  ]) {
    t.equal(cache.get(other), undefined)
    t.notOk(cache.has(other))
  }
  t.equal(cache.get(`header.payload.${signature}`), verified)

  const bench = await startBench(t)
  const good = bench.token()
  t.equal((await bench.call(good)).statusCode, 200)
  const [header = '', payload = '', end = ''] = good.split('.')
  const promoted = Buffer.from(
    JSON.stringify({
      ...JSON.parse(Buffer.from(payload, 'base64url').toString()),
      scope: 'read write admin',
    }),
  ).toString('base64url')
  for (const forged of [
    `${header}.${promoted}.${end}`,
    `${good.slice(0, -40)} ${good.slice(-39)}`,
    `${good}=`,
  ])
    t.not(
      (await bench.call(forged)).statusCode,
      200,
      forged.length === good.length ? 'a space in it' : 'forged',
    )
  t.equal((await bench.call(good)).statusCode, 200)
})

t.test('a handler cannot change what the next request sees', async t => {
  const bench = await startBench(t)
  const seen: unknown[] = []
  const app = fastify()
  t.teardown(() => app.close())
  await app.register(resourceServer, {
    issuer: bench.issuer.url,
    audience: 'https://api.example.com',
    clock: () => bench.clock.now,
  })
  app.get('/', async ({ auth }) => {
    seen.push(structuredClone({ ...auth }))
    for (const spoil of [
      () => ((auth as { subject: string }).subject = 'admin'),
      () => (auth.scopes as string[]).push('admin'),
      () => ((auth.claims as Record<string, unknown>)['sub'] = 'admin'),
      () => (auth.claims as { nested: { list: string[] } }).nested.list.push('admin'),
    ])
      t.throws(spoil, TypeError)
    return 'done'
  })
  const headers = { authorization: `Bearer ${bench.token({ nested: { list: ['a'] } })}` }
  for (let call = 0; call < 2; call += 1) t.equal((await app.inject({ url: '/', headers })).statusCode, 200)
  t.strictSame(seen[0], seen[1])
})

t.test('private and symmetric keys in a JWKS', async t => {
  const bench = await startBench(t)
  const secret = 'c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA'
  const weak = makeKey('weak', 'RS256')
  bench.issuer.keys = [
    bench.key.jwk,
    { kty: 'oct', k: secret, kid: 'oct', alg: 'HS256' },
    { ...makeKey('enc').jwk, kid: 'enc', use: 'enc' },
    { ...weak.jwk, kid: 'wrong-curve', kty: 'EC' },
  ]
  bench.clock.now += 400_000
  await refuses(t, bench, {
    'HS256 with a symmetric key of the JWKS': signHmac(
      bench.header({ alg: 'HS256', kid: 'oct' }),
      bench.claims(),
      Buffer.from(secret, 'base64url'),
    ),
    'a key for encryption': bench.token({}, { kid: 'enc' }, weak),
    'a key of the wrong type': bench.token({}, { kid: 'wrong-curve' }, weak),
  })
})
