import { gzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { isTrustworthyUrl } from 'declared-options'
import { connectToIssuer, discoverMetadata, endpointIn } from 'oauth-issuer-connection'
import { startServer } from './server.js'

const openid = '/.well-known/openid-configuration'
const oauth = '/.well-known/oauth-authorization-server'

interface Place {
  readonly status?: number
  readonly headers?: Record<string, string>
  readonly body?: string | Buffer | ((origin: string) => object)
}

/** Discovers at a server with these answers; every other path answers 404. */
async function discover(t: Test, places: Record<string, Place>, path = '', metadataPath?: string) {
  const server = await startServer(t, (response, request) => {
    const { status = 200, headers = {}, body = '' } = places[request.url ?? ''] ?? { status: 404 }
    response.writeHead(status, headers)
    response.end(typeof body === 'function' ? JSON.stringify(body(server.url)) : body)
  })
  const connection = connectToIssuer()
  t.teardown(() => connection.close())
  const metadataUrl = metadataPath === undefined ? undefined : `${server.url}${metadataPath}`
  const result = await discoverMetadata(`${server.url}${path}`, metadataUrl, connection.exchange()).then(
    metadata => ({ metadata, error: undefined, message: '' }),
    (error: Error & { status?: number; retryAfter?: string }) => ({
      metadata: undefined,
      error,
      message: error.message,
    }),
  )
  return { ...result, origin: server.url, asked: server.requests.map(({ url }) => url) }
}

const html = { headers: { 'content-type': 'text/html' }, body: '<!doctype html><div id="root">' }
const elsewhere: Record<string, Place> = {
  'a redirect to a trailing slash (301)': { status: 301, headers: { location: `${openid}/` } },
  'a login page (302)': { status: 302, headers: { location: '/login' } },
  307: { status: 307 },
  308: { status: 308 },
  400: { status: 400 },
  401: { status: 401 },
  403: { status: 403, ...html },
  404: { status: 404, body: '{}' },
  405: { status: 405 },
  410: { status: 410 },
  'a single-page app (200)': html,
  'a large single-page app (200)': { ...html, body: 'x'.repeat(100_000) },
  'an empty body (200)': {},
  '204': { status: 204 },
  'null (200)': { body: 'null' },
  'a list (200)': { body: '[]' },
  'JSON about something else (200)': { body: '{"error":"not found"}' },
}
for (const [what, place] of Object.entries(elsewhere))
  t.test(`if the OpenID URL responds with ${what}, the RFC 8414 URL is requested`, async t => {
    const { metadata, asked } = await discover(t, {
      [openid]: place,
      [oauth]: { body: issuer => ({ issuer, found: 'there' }) },
    })
    t.match(metadata, { found: 'there' })
    t.strictSame(asked, [openid, oauth])
  })

for (const status of [429, 500, 502, 503, 599])
  t.test(`${status} is an outage: no other URL is requested`, async t => {
    const { error, asked } = await discover(t, {
      [openid]: { status, headers: { 'retry-after': '7' } },
      [oauth]: { body: issuer => ({ issuer }) },
    })
    t.match(error, { status, retryAfter: '7', message: `responded with ${status}, expected 200` })
    t.equal(asked.length, 1)
  })

t.test('for an issuer with a path, all three URLs are requested in order', async t => {
  for (const path of ['/tenant', '/tenant/']) {
    const { message, asked } = await discover(t, {}, path)
    t.strictSame(asked, [`/tenant${openid}`, `${oauth}/tenant`, `/tenant${oauth}`])
    t.match(
      message,
      /no metadata found: (\S+ responded with 404, expected 200(; |\. )){3}If the metadata is elsewhere, set `metadataUrl`/,
    )
  }
  for (const path of ['/', '']) t.strictSame((await discover(t, {}, path)).asked, [openid, oauth])
  const appended = await discover(
    t,
    { [`/tenant${oauth}`]: { body: origin => ({ issuer: `${origin}/tenant`, found: 'appended' }) } },
    '/tenant',
  )
  t.match(appended.metadata, { found: 'appended' })
})

t.test('metadataUrl replaces the well-known URLs', async t => {
  const found = await discover(t, { '/meta': { body: issuer => ({ issuer }) } }, '', '/meta')
  t.strictSame([found.asked, found.metadata?.issuer], [['/meta'], found.origin])
  const missing = await discover(t, {}, '', '/meta')
  t.strictSame(missing.asked, ['/meta'])
  t.match(missing.message, /responded with 404, expected 200\. Check `metadataUrl`$/)
})

t.test(
  'the metadata must name the issuer exactly; the message shows both values and the correction',
  async t => {
    const named = async (issuer: (origin: string) => string, path = '') =>
      discover(t, { [openid]: { body: origin => ({ issuer: issuer(origin) }) }, [oauth]: {} }, path)
    const other = await named(() => 'https://login.example.com')
    t.equal(
      other.message,
      `${other.origin}${openid} names the issuer "https://login.example.com", but \`issuer\` is "${other.origin}". If this is the intended server, set \`issuer\` to "https://login.example.com"`,
    )
    t.equal(other.asked.length, 1)
    for (const [name, path] of [
      [(origin: string) => `${origin}/`, ''],
      [(origin: string) => origin, '/'],
    ] as const) {
      const { origin, message } = await named(name, path)
      t.match(
        message,
        `The two issuers differ only in the trailing slash: set \`issuer\` to ${JSON.stringify(name(origin))}`,
      )
    }
    t.notMatch((await named(() => `https://${'x'.repeat(5_000)}\n.example`)).message, /\n|x{300}/)
  },
)

t.test('a gzip-encoded response whose issuer is not text is not metadata', async t => {
  const { metadata } = await discover(t, {
    [openid]: {
      headers: { 'content-encoding': 'gzip' },
      body: gzipSync('{"issuer":5}'),
    },
    [oauth]: { body: issuer => ({ issuer }) },
  })
  t.ok(metadata)
})

t.test('endpoints in metadata follow the rule for configured URLs', async t => {
  const cases: [unknown, boolean, RegExp | undefined][] = [
    ['https://login.example.com/token', false, undefined],
    ['http://localhost:3000/token', false, undefined],
    ['http://127.0.0.1/token', false, undefined],
    ['http://[::1]/token', false, undefined],
    ['http://login.example.com/token', true, undefined],
    [
      'http://login.example.com/token',
      false,
      /token_endpoint http:\/\/login\.example\.com\/token, expected an absolute https/,
    ],
    [
      'https://me:pass@login.example.com/',
      true,
      /token_endpoint https:\/\/…@login\.example\.com\/, expected .*without a username/,
    ],
    ['ftp://login.example.com/token', true, /expected an absolute http or https URL/],
    ['/token', false, /token_endpoint \/token, expected/],
    ['', false, /has no token_endpoint/],
    [null, false, /has no token_endpoint/],
    [5, false, /has no token_endpoint/],
    [undefined, false, /has no token_endpoint/],
  ]
  for (const [endpoint, insecure, message] of cases) {
    const metadata = { issuer: 'https://login.example.com', token_endpoint: endpoint }
    const find = (): string => endpointIn(metadata, 'token_endpoint', insecure)
    if (message === undefined) t.equal(find(), endpoint)
    else t.throws(find, { message }, String(endpoint))
  }
  for (const url of ['http://127.0.0.1.example.com', 'http://localhost.example.com', 'http://127.1x', 'x'])
    t.notOk(isTrustworthyUrl(url, false), url)
})
