import t from 'tap'
import { decodeToken } from '#src/verify/decode-token.js'
import { signRaw } from '../hand-made-issuer.js'
import { startBench } from '../protected-app.js'
import { refuses } from './refuses.js'

t.test('refuses tokens that are not canonical base64url or not JSON', async t => {
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

t.test('refuses characters that are not allowed in headers', async t => {
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

/** A JSON object with one member more, first and last. */
function withMember(json: string, member: string): string[] {
  return [json.replace('{', `{${member},`), `${json.slice(0, -1)},${member}}`]
}

t.test('refuses duplicate members', async t => {
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

t.test('compares scopes exactly and case-sensitively', async t => {
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
    null,
  ]) {
    const { statusCode, headers } = await bench.call(bench.token({ scope }))
    t.equal(statusCode, 403, JSON.stringify(scope))
    t.match(headers['www-authenticate'], 'error="insufficient_scope"')
  }
  for (const scope of [[['read']], { read: true }, 1, true, ['read', 1]])
    t.equal((await bench.call(bench.token({ scope }))).statusCode, 401, JSON.stringify(scope))
  for (const scope of ['read', 'write read', 'read  write', ['read', 'write']])
    t.equal(
      (await bench.call(bench.token({ scope, jti: JSON.stringify(scope) }))).statusCode,
      200,
      JSON.stringify(scope),
    )
})

t.test('does not confuse a character with another one that has the same last byte', async t => {
  const bench = await startBench(t)
  const good = bench.token()
  t.ok(await bench.app.oauth.verify(good))
  for (const at of [0, good.indexOf('.') + 3, good.lastIndexOf('.') + 3, good.length - 1]) {
    const other = String.fromCharCode(0x100 + good.charCodeAt(at))
    const respelled = good.slice(0, at) + other + good.slice(at + 1)
    t.match(decodeToken(respelled, new Map()), { reason: 'malformed' })
    await t.rejects(bench.app.oauth.verify(respelled), { code: 'OAUTH_INVALID_TOKEN' })
  }
})
