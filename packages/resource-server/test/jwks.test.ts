import type { JsonWebKey } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import t from 'tap'
import { connectToIssuer } from 'oauth-issuer-connection'
import { fetchJwks } from '#src/keys/fetch-jwks.js'
import { holdAnswer, jwksRequests, makeKey, startHandMadeIssuer } from './hand-made-issuer.js'
import { startBench } from './protected-app.js'

const anyKey = { kid: undefined, algorithm: undefined }
const good = makeKey('good')
const set = JSON.stringify({ keys: [good.jwk] })

const wrappings: Record<string, (response: ServerResponse) => void> = {
  'application/jwk-set+json': response =>
    response.setHeader('content-type', 'application/jwk-set+json').end(set),
  'text/plain': response => response.setHeader('content-type', 'text/plain').end(set),
  'no content type': response => response.removeHeader('content-type') ?? response.end(set),
  'a byte order mark': response => response.end(`\uFEFF${set}`),
  'UTF-16': response =>
    response.setHeader('content-type', 'application/json; charset=utf-16le').end(Buffer.from(set, 'utf16le')),
  gzip: response => response.setHeader('content-encoding', 'gzip').end(gzipSync(set)),
  br: response => response.setHeader('content-encoding', 'br').end(brotliCompressSync(set)),
  deflate: response => response.setHeader('content-encoding', 'deflate').end(deflateSync(set)),
  'more than 64 KiB': response => response.end(`${' '.repeat(100_000)}${set}`),
}
for (const [what, answer] of Object.entries(wrappings))
  t.test(`verifies tokens with a key in a set with ${what}`, async t => {
    const bench = await startBench(t, {}, good)
    bench.issuer.answer = answer
    t.equal((await bench.call(bench.token())).statusCode, 200)
  })

/** Members that say nothing, in the good key itself. */
const empty = {
  use: [null, ''],
  alg: [null, ''],
  key_ops: [null, []],
  x5c: [null, []],
  x5u: [null, ''],
  x5t: [null, ''],
  'x5t#S256': [null, ''],
  issuer: [null, ''],
  exp: [null],
  invented: [null, '', [], 5, { a: 1 }],
}
for (const [name, values] of Object.entries(empty))
  t.test(`accepts keys whose member "${name}" is null, empty or unknown`, async t => {
    for (const value of values) {
      const bench = await startBench(t, {}, good)
      bench.issuer.keys = [{ ...good.jwk, [name]: value } as JsonWebKey]
      t.equal((await bench.call(bench.token())).statusCode, 200, JSON.stringify(value))
    }
  })

const bad: Record<string, unknown> = {
  null: null,
  'a number': 5,
  'a text': 'key',
  'a list': [good.jwk],
  'an empty object': {},
  'a key of an unknown kind': { kty: 'AKP', kid: 'post-quantum', alg: 'ML-DSA-65', pub: 'AA' },
  'a symmetric key': { kty: 'oct', k: 'AAAA', kid: 'secret' },
  'an encryption key with the same kid': { ...good.jwk, use: 'enc' },
  'a numeric kid': { ...makeKey('x').jwk, kid: 5 },
  'a point that is not on the curve': { ...good.jwk, kid: 'off', x: 'AAAA' },
  'key_ops that are no list': { ...makeKey('x').jwk, kid: 'ops', key_ops: 5 },
  'x5c that is no certificate': { kty: 'RSA', kid: 'cert', x5c: ['AAAA'] },
  'kty null': { ...makeKey('x').jwk, kid: 'kty', kty: null },
}
for (const [what, entry] of Object.entries(bad))
  t.test(`logs ${what} in the set once and accepts all other keys`, async t => {
    const bench = await startBench(t, {}, good)
    bench.issuer.keys = [entry as JsonWebKey, good.jwk, entry as JsonWebKey]
    t.equal((await bench.call(bench.token())).statusCode, 200)
    bench.clock.now += 310_000
    t.equal((await bench.call(bench.token({ jti: 'two' }))).statusCode, 200)
    t.equal(jwksRequests(bench.issuer), 2)
    const ignored = bench.logged.filter(({ msg }) => msg === 'an unusable key of the issuer is ignored')
    t.equal(ignored.length, 1, JSON.stringify(ignored))
    t.ok(ignored[0]?.['reason'])
  })

const failures: Record<string, [answer: (response: ServerResponse) => void, expected: RegExp]> = {
  'no keys': [
    response => response.end('{"keys":[]}'),
    /responded with JSON without keys; expected a JWK set$/,
  ],
  'keys null': [response => response.end('{"keys":null}'), /JSON without keys/],
  'keys that are no list': [response => response.end('{"keys":{"0":{}}}'), /JSON without keys/],
  'no object': [response => response.end('[]'), /expected a JSON object$/],
  'a web page': [
    response => response.setHeader('content-type', 'text/html').end('<!doctype html>'),
    /responded with 200 and text\/html, expected a JSON object$/,
  ],
  'a redirect': [
    response => response.writeHead(301, { location: '/jwks/' }).end(),
    /responded with 301 \(redirects to \/jwks\//,
  ],
  404: [response => response.writeHead(404).end(set), /responded with 404, expected 200$/],
  500: [response => response.writeHead(500).end(set), /responded with 500, expected 200$/],
  'a bomb': [
    response =>
      response.setHeader('content-encoding', 'br').end(brotliCompressSync(Buffer.alloc(20_000_000, ' '))),
    /responded with 200 and a body larger than 262144 bytes/,
  ],
  'an unknown coding': [
    response => response.setHeader('content-encoding', 'zstd').end(set),
    /a body that cannot be decoded \(content-encoding zstd\)/,
  ],
  'half a set': [
    response => {
      response.writeHead(200, { 'content-length': set.length }).write(set.slice(0, 9))
      setImmediate(() => response.destroy())
    },
    /^http:\S+\/jwks: /,
  ],
}
for (const [what, [answer, message]] of Object.entries(failures))
  t.test(
    `treats a response with ${what} as an outage; the message has the received and the expected value`,
    async t => {
      const issuer = await startHandMadeIssuer(t, [good])
      const connection = connectToIssuer()
      t.teardown(() => connection.close())
      issuer.answer = answer
      for (const wanted of [anyKey, { kid: 'good', algorithm: 'ES256' }])
        await t.rejects(fetchJwks(`${issuer.url}/jwks`, wanted, connection.exchange()), { message })
    },
  )

t.test('reads the whole key set, whichever key is wanted', async t => {
  const issuer = await startHandMadeIssuer(t, [good, makeKey('other')])
  const connection = connectToIssuer()
  t.teardown(() => connection.close())
  for (const kid of [undefined, 'good', 'unknown', ''])
    for (const algorithm of [undefined, 'ES256', 'RS256'])
      t.equal(
        (
          await fetchJwks(
            `${issuer.url}/jwks?x=1`.replace('?x=1', ''),
            { kid, algorithm },
            connection.exchange(),
          )
        ).length,
        2,
      )
  issuer.goAway()
  await t.rejects(fetchJwks(`${issuer.url}/jwks`, anyKey, connection.exchange()), /\/jwks: /)
})

t.test('stops waiting for an issuer that hangs', async t => {
  const issuer = await startHandMadeIssuer(t, [good])
  const connection = connectToIssuer({ timeoutMs: 40 })
  t.teardown(() => connection.close())
  void holdAnswer(issuer)
  await t.rejects(fetchJwks(`${issuer.url}/jwks`, anyKey, connection.exchange()), {
    message: `${issuer.url}/jwks: no response within 40 ms`,
  })
})
