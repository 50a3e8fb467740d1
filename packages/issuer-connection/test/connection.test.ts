import { brotliCompressSync, constants, deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { Agent } from 'undici'
import {
  connectToIssuer,
  describeAnswer,
  headerOf,
  jsonObjectIn,
  type ConnectionOptions,
  type IssuerConnection,
} from 'oauth-issuer-connection'
import { usesEnvironmentProxy } from '#src/open-dispatcher.js'
import { makeCertificate } from 'test-support/certificate'
import { setEnvironment, startProxy } from 'test-support/proxy'
import { messageOf, startServer } from './server.js'

function connect(t: Test, options: ConnectionOptions = {}): IssuerConnection {
  const connection = connectToIssuer(options)
  t.teardown(() => connection.close())
  return connection
}

const value = { issuer: 'https://login.example.com/é', note: 'ключ' }
const text = JSON.stringify(value)
const ascii = '{"issuer":"https://login.example.com"}'

const codings: Record<string, Buffer> = {
  gzip: gzipSync(text),
  'x-gzip': gzipSync(text),
  GZIP: gzipSync(text),
  br: brotliCompressSync(text),
  deflate: deflateSync(text),
  'deflate ': deflateRawSync(text),
  identity: Buffer.from(text),
  'gzip, br': brotliCompressSync(gzipSync(text)),
  '': Buffer.from(text),
}
for (const [coding, body] of Object.entries(codings))
  t.test(`decodes content-encoding "${coding}", although the request asked for none`, async t => {
    const server = await startServer(t, response =>
      response.writeHead(200, { 'content-encoding': coding.trim() }).end(body),
    )
    const answer = await connect(t).exchange().request(server.url)
    t.strictSame(jsonObjectIn(answer), value)
    t.equal(server.requests[0]?.headers['accept-encoding'], 'identity')
  })

const unreadable: Record<string, [coding: string, body: Buffer, expected: RegExp]> = {
  'an unknown coding': ['zstd', Buffer.from(text), /cannot be decoded \(content-encoding zstd\)/],
  'a name of Object.prototype': ['constructor', Buffer.from(text), /content-encoding constructor/],
  'a coding that is not there': ['gzip', Buffer.from(text), /cannot be decoded/],
  'half of it': ['gzip', gzipSync(text).subarray(0, 20), /cannot be decoded/],
  'many codings': [
    'gzip, gzip, gzip',
    gzipSync(gzipSync(gzipSync(text))),
    /content-encoding gzip, gzip, gzip/,
  ],
  'a brotli bomb': [
    'br',
    brotliCompressSync(Buffer.alloc(100_000_000, ' '), { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } }),
    /a body larger than 65536 bytes/,
  ],
  'a gzip bomb in a gzip': [
    'gzip, gzip',
    gzipSync(gzipSync(Buffer.alloc(5_000_000, ' '))),
    /larger than 65536 bytes/,
  ],
  'a large body': ['', Buffer.from(JSON.stringify({ large: 'x'.repeat(65_536) })), /larger than 65536 bytes/],
}
for (const [what, [coding, body, expected]] of Object.entries(unreadable))
  t.test(`${what}: the response says why its body cannot be read`, async t => {
    const server = await startServer(t, response =>
      response.writeHead(200, { 'content-encoding': coding }).end(body),
    )
    const before = process.memoryUsage().rss
    const answer = await connect(t).exchange().request(server.url)
    t.equal(jsonObjectIn(answer), undefined)
    t.match(describeAnswer(answer), expected)
    t.ok(process.memoryUsage().rss - before < 80_000_000, 'in bounded memory')
  })

const utf16be = Buffer.from(`\uFEFF${text}`, 'utf16le').swap16()
const charsets: Record<string, [contentType: string | undefined, body: Buffer | string, expected: object]> = {
  'no content type': [undefined, text, value],
  'text/plain': ['text/plain', text, value],
  'charset utf8': ['application/json;charset=utf8', text, value],
  'a quoted charset': ['application/json; Charset="UTF-8"', text, value],
  'an invented charset': ['application/json; charset=x-mine', text, value],
  'ISO-8859-1': ['application/json; charset=iso-8859-1', Buffer.from('{"a":"é"}', 'latin1'), { a: 'é' }],
  'UTF-16 by its declaration': ['application/json; charset=utf-16le', Buffer.from(text, 'utf16le'), value],
  'a UTF-8 byte order mark': ['application/json', `\uFEFF${text}`, value],
  'a UTF-16 byte order mark': ['application/json', Buffer.from(`\uFEFF${text}`, 'utf16le'), value],
  'a UTF-16BE byte order mark that contradicts the charset': [
    'application/json; charset=utf-8',
    utf16be,
    value,
  ],
}
for (const [what, [contentType, body, expected]] of Object.entries(charsets))
  t.test(`reads JSON with ${what}`, async t => {
    const server = await startServer(t, response => {
      if (contentType !== undefined) response.setHeader('content-type', contentType)
      response.end(body)
    })
    t.strictSame(jsonObjectIn(await connect(t).exchange().request(server.url)), expected)
  })

for (const body of ['', 'null', '[]', '"text"', '5', '<html>', '{'])
  t.test(`${JSON.stringify(body)} is not a JSON object`, async t => {
    const server = await startServer(t, response => response.end(body))
    const answer = await connect(t).exchange().request(server.url)
    t.equal(jsonObjectIn(answer), undefined)
    t.equal(
      describeAnswer(answer),
      `${server.url} responded with 200 and no content type, expected a JSON object`,
    )
  })

for (const status of [301, 302, 303, 307, 308])
  t.test(`does not follow a ${status}`, async t => {
    const server = await startServer(t, response =>
      response.writeHead(status, { location: '/elsewhere' }).end(ascii),
    )
    const answer = await connect(t).exchange().request(server.url)
    t.match(
      describeAnswer(answer),
      `responded with ${status} (redirects to /elsewhere; redirects are not followed)`,
    )
    t.equal(server.requests.length, 1)
  })

t.test('the time limit covers the whole exchange, even if the server responds slowly', async t => {
  const server = await startServer(t, () => {})
  const connection = connect(t, { timeoutMs: 40 })
  t.match(
    await messageOf(connection.exchange().request(server.url)),
    `${server.url}: no response within 40 ms`,
  )
  server.answer = response => {
    const drip = setInterval(() => response.write(' '), 5)
    response.on('close', () => clearInterval(drip))
  }
  t.match(await messageOf(connection.exchange().request(server.url)), /no response within 40 ms/)
  const exchange = connection.exchange()
  await messageOf(exchange.request(server.url))
  server.answer = response => response.end(ascii)
  t.match(
    await messageOf(exchange.request(server.url)),
    /no response within/,
    'no more time for a second request',
  )
  t.ok(await connection.exchange().request(server.url), 'another exchange has time of its own')
})

t.test('the error for a broken connection names the URL', async t => {
  const server = await startServer(t, response => {
    response.writeHead(200, { 'content-length': '100' }).write('{')
    setImmediate(() => response.destroy())
  })
  t.match(await messageOf(connect(t).exchange().request(server.url)), new RegExp(`^${server.url}: \\w`))
  t.match(
    await messageOf(connect(t).exchange().request('http://127.0.0.1:1/x')),
    /^http:\/\/127\.0\.0\.1:1\/x: .*ECONNREFUSED/,
  )
})

t.test('a given dispatcher is used and not closed', async t => {
  const server = await startServer(t, response => response.end(ascii))
  const agent = new Agent()
  t.teardown(() => agent.close())
  let used = 0
  const dispatcher = agent.compose(dispatch => (options, handler) => {
    used += 1
    return dispatch(options, handler)
  })
  const connection = connectToIssuer({ dispatcher })
  await connection.exchange().request(server.url)
  await connection.close()
  t.strictSame([used, agent.closed, connection.isClosed()], [1, false, true])
  t.match(await messageOf(connection.exchange().request(server.url)), /the connection is closed/)
})

t.test('fetch returns a decoded Response for oauth4webapi', async t => {
  const server = await startServer(t, response =>
    response
      .writeHead(400, { 'content-encoding': 'gzip', 'set-cookie': ['a=1', 'b=2'], 'dpop-nonce': 'n' })
      .end(gzipSync(text)),
  )
  const body = new URLSearchParams({ grant_type: 'client_credentials' })
  const response = await connect(t)
    .exchange()
    .fetch(server.url, { method: 'POST', headers: { a: 'b' }, body })
  t.strictSame([response.status, await response.json()], [400, value])
  t.strictSame(
    [
      response.headers.get('content-encoding'),
      response.headers.get('set-cookie'),
      response.headers.get('dpop-nonce'),
    ],
    [null, 'a=1, b=2', 'n'],
  )
  t.match(server.requests[0], { method: 'POST', headers: { a: 'b' } })
  server.answer = response_ => response_.writeHead(204).end()
  t.equal((await connect(t).exchange().fetch(server.url, {})).body, null)
})

t.test('a private certificate authority is trusted only if it is configured', async t => {
  const tls = await makeCertificate('localhost')
  const server = await startServer(t, response => response.end(ascii), tls)
  t.match(await messageOf(connect(t).exchange().request(server.url)), /self-signed certificate/)
  t.ok(
    jsonObjectIn(
      await connect(t, { tls: { ca: tls.cert } })
        .exchange()
        .request(server.url),
    ),
  )
})

t.test('the proxy of the environment is used under the same conditions as in Node.js', async t => {
  const cases: [Record<string, string>, string[], boolean][] = [
    [{}, [], false],
    [{ NODE_USE_ENV_PROXY: '1' }, [], true],
    [{ NODE_USE_ENV_PROXY: 'true' }, [], false],
    [{ NODE_USE_ENV_PROXY: '0' }, [], false],
    [{}, ['--use-env-proxy'], true],
    [{ NODE_OPTIONS: '--no-warnings --use-env-proxy' }, [], true],
  ]
  for (const [environment, execArgv, expected] of cases)
    t.equal(usesEnvironmentProxy(environment, execArgv), expected, JSON.stringify({ environment, execArgv }))
})

t.test('requests use the CONNECT proxy of the environment, with a private CA', async t => {
  const tls = await makeCertificate('localhost')
  const server = await startServer(t, response => response.end(ascii), tls)
  const { url, tunnels } = await startProxy(t)
  setEnvironment(t, { NODE_USE_ENV_PROXY: '1', HTTPS_PROXY: url, NO_PROXY: 'direct.example.com' })
  const connection = connect(t, { tls: { ca: tls.cert } })
  const answer = await connection.exchange().request(server.url)
  t.strictSame([answer.status, tunnels], [200, [new URL(server.url).host]])
  t.equal(headerOf(answer, 'absent'), undefined)
  process.env['NO_PROXY'] = '127.0.0.1'
  t.equal(
    (
      await connect(t, { tls: { ca: tls.cert } })
        .exchange()
        .request(server.url)
    ).status,
    200,
  )
  t.equal(tunnels.length, 1, 'NO_PROXY is honoured')
})
