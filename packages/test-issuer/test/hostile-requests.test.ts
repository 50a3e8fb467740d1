import { once } from 'node:events'
import { connect } from 'node:net'
import fc from 'fast-check'
import t from 'tap'
import { createTestIssuer, type ProfileName, type TestIssuer } from 'oauth-test-issuer'
import { audience, basic, grant } from './token-request.js'

/** Set the seed of a failed run here to repeat it. */
const seed = 15
const codes = new Set([
  'invalid_request',
  'invalid_client',
  'invalid_grant',
  'unauthorized_client',
  'unsupported_grant_type',
  'invalid_scope',
  'invalid_target',
  'invalid_dpop_proof',
  'not_found',
])

interface Request {
  readonly path: string
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

const segment = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
const oddValue = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom(
    null,
    -1,
    1e308,
    '',
    [],
    {},
    { toString: 5 },
    ['payment', 5],
    '__proto__',
    'payment',
    'nobody',
  ),
)
const members = (...names: string[]): fc.Arbitrary<object> =>
  fc.dictionary(fc.constantFrom(...names), oddValue, { maxKeys: 6 })
const jwt = fc
  .tuple(
    members('alg', 'typ', 'kid', 'jwk', 'crit', 'b64', 'jku', 'zip'),
    members('iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti', 'htm', 'htu', 'act', 'cnf'),
    fc.constantFrom('', 'AAAA', '*'),
  )
  .map(([header, payload, signature]) => `${segment(header)}.${segment(payload)}.${signature}`)
const embedded = fc
  .constantFrom('oct', 'EC', 'RSA', 'OKP', 'AKP')
  .map(
    kty =>
      `${segment({ alg: 'HS256', typ: 'dpop+jwt', jwk: { kty, k: 'AA', crv: 'P-256', x: 1, y: 'x' } })}.e30.AA`,
  )
const credential = fc.oneof(
  fc.string(),
  jwt,
  embedded,
  fc.constantFrom('s3cret', 'x.y.z', '..', 'bnVsbA.bnVsbA.x'),
)

const parameter = fc.tuple(
  fc.oneof(
    fc.constantFrom(
      'grant_type',
      'client_id',
      'client_secret',
      'client_assertion',
      'client_assertion_type',
      'scope',
      'resource',
      'audience',
      'assertion',
      'subject_token',
      'subject_token_type',
      'actor_token',
      'token',
      'actor_token_type',
      'requested_token_type',
      '__proto__',
      'constructor',
      '',
    ),
    fc.string({ maxLength: 60 }),
  ),
  fc.oneof(
    credential,
    fc.string({ unit: 'grapheme', maxLength: 40 }),
    fc.constantFrom(
      'client_credentials',
      'payment',
      audience,
      `${audience}/.default`,
      '/.default',
      'a  b',
      'a "b\\',
      'urn:ietf:params:oauth:grant-type:jwt-bearer',
      'urn:ietf:params:oauth:grant-type:token-exchange',
      'urn:ietf:params:oauth:token-type:access_token',
      'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    ),
  ),
)
const form = fc.array(parameter, { maxLength: 8 }).map(pairs => new URLSearchParams(pairs).toString())
const body = fc.oneof(
  { weight: 5, arbitrary: form },
  fc.string({ unit: 'binary' }),
  fc.constantFrom('{"grant_type":', '%', '&&==&%zz=%', 'a'.repeat(70_000), `scope=${'a+'.repeat(30_000)}`),
)
const visible = fc.string({
  unit: fc.integer({ min: 0x20, max: 0x7e }).map(code => String.fromCodePoint(code)),
})
const authorization = fc.oneof(
  visible,
  fc.uint8Array({ maxLength: 40 }).map(bytes => `Basic ${Buffer.from(bytes).toString('base64')}`),
  fc.string({ unit: 'binary' }).map(text => `Basic ${Buffer.from(`payment:${text}`).toString('base64')}`),
  jwt.map(token => `Bearer ${token}`),
  fc.constantFrom(
    'Basic',
    'Basic ',
    'Basic =',
    'Basic JTo=',
    'Basic cGF5bWVudA==',
    basic('payment', 's3cret').authorization,
  ),
)
const contentType = fc.oneof(
  { weight: 6, arbitrary: fc.constant('application/x-www-form-urlencoded') },
  fc.constantFrom('application/json', 'application/x-www-form-urlencoded; charset=utf-7', ';', 'text/plain'),
  visible,
)
const headers = fc.record(
  { authorization, 'content-type': contentType, dpop: fc.oneof(jwt, embedded, visible) },
  { requiredKeys: ['content-type'] },
)

function requestsTo(issuer: TestIssuer): fc.Arbitrary<Request> {
  const paths = [issuer.tokenEndpoint, issuer.introspectionEndpoint].map(url => new URL(url).pathname)
  return fc.record({
    path: fc.oneof(
      { weight: 8, arbitrary: fc.constantFrom(...paths) },
      fc.constantFrom(
        '/.well-known/openid-configuration',
        '/jwks',
        '/',
        '//',
        '/%zz',
        `${paths[0]}/`,
        `${paths[0]}?grant_type=x`,
      ),
    ),
    method: fc.oneof(
      { weight: 8, arbitrary: fc.constant('POST') },
      fc.constantFrom('GET', 'PUT', 'HEAD', 'OPTIONS'),
    ),
    headers,
    body,
  })
}

async function checkAnswer(response: Response, method: string): Promise<void> {
  const text = await response.text()
  const { status } = response
  if (![200, 400, 401, 404, 405, 413].includes(status)) throw new Error(`status ${status}: ${text}`)
  if (status === 200 || method === 'HEAD') return
  const { error, error_description: description = '' } = JSON.parse(text) as Record<string, unknown>
  if (!codes.has(String(error))) throw new Error(`error ${String(error)}`)
  if (!/^[\x20\x21\x23-\x5B\x5D-\x7E]*$/.test(String(description)))
    throw new Error(`error_description has characters outside RFC 6749 §5.2: ${String(description)}`)
  if ((status === 401) !== (error === 'invalid_client')) throw new Error(`${status} with ${String(error)}`)
}

async function send(issuer: TestIssuer, { path, method, headers, body }: Request): Promise<void> {
  const hasBody = method !== 'GET' && method !== 'HEAD'
  const url = new URL(issuer.url).origin + path
  await checkAnswer(await issuer.fetch(url, { method, headers, ...(hasBody ? { body } : {}) }), method)
}

async function start(profile: ProfileName, listen: boolean): Promise<TestIssuer> {
  const grants = ['client_credentials', 'token_exchange', 'jwt_bearer'] as const
  const client = { clientId: 'payment', clientSecret: 's3cret', audience, scopes: ['a', 'b'], grants }
  return createTestIssuer({ profile, algorithm: 'ES256', listen, audience, clients: [client] })
}

for (const profile of ['rfc9068', 'entra'] as const)
  t.test(`${profile}: answers hostile requests with OAuth errors, never with 500`, async t => {
    await using issuer = await start(profile, false)
    const property = fc.asyncProperty(requestsTo(issuer), request => send(issuer, request))
    await fc.assert(property, { seed, numRuns: 600 })
    const good = await issuer.fetch(issuer.tokenEndpoint, {
      method: 'POST',
      headers: basic('payment', 's3cret'),
      body: new URLSearchParams(grant),
    })
    t.equal(good.status, 200, 'and a good request still gets a token')
  })

/** Sends raw bytes and returns the first line of the response. */
async function sendRaw(issuer: TestIssuer, text: string): Promise<string> {
  const socket = connect(Number(new URL(issuer.url).port), '127.0.0.1')
  // write() and not end(), because Node's server does not answer on a half-closed connection.
  socket.write(text, 'latin1')
  let answer = ''
  socket.on('data', chunk => (answer += String(chunk)))
  socket.on('error', () => {})
  await once(socket, 'close')
  return answer.split('\r\n')[0] ?? ''
}

const rawRequest = (lines: readonly string[], body = 'grant_type=client_credentials'): string =>
  [
    'POST /token HTTP/1.1',
    'Host: a',
    'Connection: close',
    `Content-Length: ${body.length}`,
    ...lines,
    '',
    body,
  ].join('\r\n')

t.test('survives invalid HTTP and rejects repeated headers on the socket', async t => {
  await using issuer = await start('rfc9068', true)
  const { authorization } = basic('payment', 's3cret')
  const type = 'Content-Type: application/x-www-form-urlencoded'
  const good = `Authorization: ${authorization}`
  for (const [what, text, status] of [
    ['a good request', rawRequest([type, good]), 200],
    ['two Authorization headers', rawRequest([type, good, good]), 401],
    ['two Authorization headers, one wrong', rawRequest([type, good, 'Authorization: Basic eDp5']), 401],
    ['two Content-Type headers', rawRequest([type, 'Content-Type: text/plain', good]), 400],
    ['two DPoP headers', rawRequest([type, good, 'DPoP: a.b.c', 'DPoP: a.b.c']), 400],
    ['bytes that are not UTF-8', rawRequest([type, good], 'grant_type=\xff\xfe'), 400],
    ['an Authorization header that is not ASCII', rawRequest([type, 'Authorization: Basic \xff']), 401],
    ['a header that is too large', rawRequest([type, `X: ${'x'.repeat(20_000)}`]), 431],
    ['no HTTP', '\x16\x03\x01\x02\x00\r\n\r\n', 400],
    ['a path that is a URL', rawRequest([type, good]).replace('/token', 'http://a/token'), 404],
    ['a body that is too large', rawRequest([type, good], `scope=${'a'.repeat(1_000_000)}`), 413],
  ] as const)
    t.match(await sendRaw(issuer, text), `HTTP/1.1 ${status} `, what)
})

t.test('does not block the process for thousands of parameters', async t => {
  await using issuer = await start('rfc9068', false)
  const body = Array.from({ length: 11_000 }, (_, index) => index.toString(36)).join('&')
  const began = performance.now()
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  t.equal((await issuer.fetch(issuer.tokenEndpoint, { method: 'POST', headers, body })).status, 401)
  t.ok(performance.now() - began < 500, 'quadratic time would take seconds')
})
