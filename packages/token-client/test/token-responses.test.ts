import type { ServerResponse } from 'node:http'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { createTokenClient, TokenRejectedError, TokenUnavailableError } from 'fastify-token-client'
import { getToken } from './authenticating.js'
import { json, startTokenEndpoint } from './token-endpoint.js'
import { clientOf, failureOf, start } from './standing-clock.js'

const good = { access_token: 'good', token_type: 'Bearer', expires_in: 60, scope: 'read' }
const idToken = ['{"alg":"ES256"}', '{"iss":"https://other.example","aud":["a","b"],"exp":1}', 'x']
  .map(part => Buffer.from(part).toString('base64url'))
  .join('.')

/** An answer with one odd member → the token that it gives. */
const accepted: Record<string, object> = {
  'no expires_in': { ...good, expires_in: undefined },
  ...Object.fromEntries(
    [null, '60', '', 'soon', -1, 0.5, 1e300, {}, [], true].map(value => [
      `expires_in ${JSON.stringify(value)}`,
      { ...good, expires_in: value },
    ]),
  ),
  ...Object.fromEntries(
    [null, '', 5, {}, ['read', 'write'], [], [5], 'read  write'].map(value => [
      `scope ${JSON.stringify(value)}`,
      { ...good, scope: value },
    ]),
  ),
  ...Object.fromEntries(
    ['id_token', 'refresh_token', 'refresh_expires_in', 'error', 'invented'].flatMap(name =>
      [null, '', 5, {}, []].map(value => [`${name} ${JSON.stringify(value)}`, { ...good, [name]: value }]),
    ),
  ),
  'an id_token of another issuer, for several audiences': { ...good, id_token: idToken },
  'an id_token that is not a JWT': { ...good, id_token: 'x' },
  'token_type bearer': { ...good, token_type: 'bearer' },
  'token_type BEARER': { ...good, token_type: 'BEARER' },
}
for (const [what, body] of Object.entries(accepted))
  t.test(`${what} does not make a valid token unusable`, async t => {
    const endpoint = await startTokenEndpoint(t, response => json(response, 200, body))
    const token = await clientOf(t, endpoint).client.getToken()
    t.equal(token.accessToken, 'good')
    t.ok(token.expiresAt > start && Number.isFinite(token.expiresAt))
  })

t.test('scopes may also be a list', async t => {
  const endpoint = await startTokenEndpoint(t, response =>
    json(response, 200, { ...good, scope: ['a', 'b'] }),
  )
  t.strictSame((await clientOf(t, endpoint).client.getToken()).scopes, ['a', 'b'])
})

for (const accessToken of ['Atc|MQEBIabc', '00D50000000IZ3Z!AQ0AQD.x_y', 'a~b+c/d==', 'a"b\\c', '{x}'])
  t.test(`the token ${accessToken} is opaque and sent unchanged`, async t => {
    const endpoint = await startTokenEndpoint(t, response =>
      json(response, 200, { ...good, access_token: accessToken }),
    )
    t.equal((await clientOf(t, endpoint).client.getToken()).accessToken, accessToken)
  })

const unusable: Record<string, object> = {
  ...Object.fromEntries(
    [undefined, null, '', 5, {}, 'a\nb', 'é'].map(value => [
      `access_token ${JSON.stringify(value)}`,
      { ...good, access_token: value },
    ]),
  ),
  ...Object.fromEntries(
    [undefined, null, '', 5, 'mac', 'DPoP', 'N_A'].map(value => [
      `token_type ${JSON.stringify(value)}`,
      { ...good, token_type: value },
    ]),
  ),
}
for (const [what, body] of Object.entries(unusable))
  t.test(`${what} is not a usable token`, async t => {
    const endpoint = await startTokenEndpoint(t, response => json(response, 200, body))
    const failure = await failureOf(clientOf(t, endpoint).client)
    t.ok(failure instanceof TokenUnavailableError)
    t.match(failure, {
      detail: /access_token|expected Bearer|RFC 6749 Appendix A\.12/,
    })
  })

const wrappings: Record<string, (response: ServerResponse) => void> = {
  'text/plain': response =>
    response.writeHead(200, { 'content-type': 'text/plain' }).end(JSON.stringify(good)),
  'no content type': response => response.end(JSON.stringify(good)),
  'status 201': response => json(response, 201, good),
  gzip: response =>
    response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(JSON.stringify(good))),
  'a byte order mark': response => response.end(`\uFEFF${JSON.stringify(good)}`),
}
for (const [what, answer] of Object.entries(wrappings))
  t.test(`a token in a response with ${what} is accepted`, async t => {
    t.equal((await clientOf(t, await startTokenEndpoint(t, answer)).client.getToken()).accessToken, 'good')
  })

t.test('the error for a redirect of the token endpoint names both URLs, but not the secret', async t => {
  const endpoint = await startTokenEndpoint(t, response =>
    response.writeHead(302, { location: 'https://login.example.com/token?client_secret=s3cret' }).end(),
  )
  const failure = await failureOf(clientOf(t, endpoint, { clientSecret: 's3cret' }).client)
  t.ok(failure instanceof TokenUnavailableError)
  t.match(failure, {
    detail: /\/token responded with 302 \(redirects to https:\/\/login\.example\.com\/token/,
  })
  t.notMatch(failure, { detail: /s3cret/ })
})

const error = { error: 'invalid_scope', error_description: 'no such scope' }
const reported: Record<string, (response: ServerResponse) => void> = {
  'in a 200': response => json(response, 200, error),
  'in a 200 with a null token': response => json(response, 200, { ...error, access_token: null }),
  'in a 400 as text/plain': response =>
    response.writeHead(400, { 'content-type': 'text/plain' }).end(JSON.stringify(error)),
  'in a 400 without content type': response => response.writeHead(400).end(JSON.stringify(error)),
  'in a 403': response => json(response, 403, error),
  'in a 400 that is gzip-encoded': response =>
    response.writeHead(400, { 'content-encoding': 'gzip' }).end(gzipSync(JSON.stringify(error))),
  'in a 401 with a challenge': response =>
    response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end(JSON.stringify(error)),
}
for (const [what, answer] of Object.entries(reported))
  t.test(`an error ${what} is reported`, async t => {
    const { client } = clientOf(t, await startTokenEndpoint(t, answer))
    t.match(await failureOf(client), {
      code: 'TOKEN_CLIENT_REJECTED',
      error: 'invalid_scope',
      errorDescription: 'no such scope',
    })
  })

const refused: Record<string, (response: ServerResponse) => void> = {
  'a 401 without a body': response => response.writeHead(401).end(),
  'a 401 with HTML': response => response.writeHead(401, { 'content-type': 'text/html' }).end('<h1>401</h1>'),
  'a 401 with a challenge alone': response => response.writeHead(401, { 'www-authenticate': 'Basic' }).end(),
  'a 401 with JSON of a framework': response => json(response, 401, { error: 'Unauthorized', status: 401 }),
  'a 401 with null': response => response.writeHead(401).end('null'),
  'a 403 without a body': response => response.writeHead(403).end(),
  'a 403 with HTML': response => response.writeHead(403, { 'content-type': 'text/html' }).end('<h1>No</h1>'),
  'a 400 without a body': response => response.writeHead(400).end(),
  'a 400 with JSON that is no OAuth error': response => json(response, 400, { message: 'no' }),
  'a 401 with 100 kB': response => response.writeHead(401).end('x'.repeat(100_000)),
}
for (const [what, answer] of Object.entries(refused))
  t.test(`${what} refuses the client, and the function for the secret is called once more`, async t => {
    const endpoint = await startTokenEndpoint(t, answer)
    const asked: boolean[] = []
    const clientSecret = ({ refused: wasRefused }: { refused: boolean }): string => {
      asked.push(wasRefused)
      if (wasRefused) endpoint.behave = response => json(response, 200, good)
      return 'secret-text'
    }
    t.equal((await clientOf(t, endpoint, { clientSecret }).client.getToken()).accessToken, 'good')
    t.strictSame(asked, [false, true])
    endpoint.behave = answer
    const failure = await failureOf(clientOf(t, endpoint).client)
    t.ok(failure instanceof TokenRejectedError, String(failure))
    t.match(failure, { error: 'invalid_client', errorDescription: /40\d|Unauthorized/ })
  })

for (const [status, headers] of [
  [404, {}],
  [429, { 'retry-after': '20' }],
  [500, {}],
  [503, { 'retry-after': '20' }],
] as const)
  t.test(`a ${status} is an outage`, async t => {
    const endpoint = await startTokenEndpoint(t, response => response.writeHead(status, headers).end())
    t.match(await failureOf(clientOf(t, endpoint).client), {
      code: 'TOKEN_CLIENT_UNAVAILABLE',
      detail: `responded with ${status}`,
      ...('retry-after' in headers ? { retryAfterMs: 20_000 } : {}),
    })
  })

t.test('a refused assertion mentions assertionAudience, a refused secret does not', async t => {
  const endpoint = await startTokenEndpoint(t, response => json(response, 401, { error: 'invalid_client' }))
  const options = { tokenEndpoint: endpoint.url, issuer: 'https://login.example.com' }
  const assertion = { keyAlgorithm: 'ES256', signAssertion: () => Buffer.from('x') }
  const descriptions: [object, RegExp][] = [
    [assertion, /audience of the client assertion was the issuer; .*assertionAudience to 'token_endpoint'/],
    [
      { ...assertion, assertionAudience: 'token_endpoint' },
      /audience of the client assertion was the token endpoint; .*assertionAudience to 'issuer'/,
    ],
    [
      { clientSecret: 'x'.repeat(32), clientAuthentication: 'client_secret_jwt' },
      /setting assertionAudience to/,
    ],
  ]
  for (const [more, errorDescription] of descriptions)
    await t.rejects(getToken(t, { ...options, ...more }), {
      error: 'invalid_client',
      errorDescription,
    } as never)
  const failure = await getToken(t, { ...options, clientSecret: 'x' }).catch((thrown: unknown) => thrown)
  t.match(failure, { error: 'invalid_client' })
  t.notMatch((failure as TokenRejectedError).errorDescription ?? '', /assertionAudience/)
})

t.test('an id with hyphens reaches a server that does not decode HTTP Basic', async t => {
  const { url: tokenEndpoint, requests } = await startTokenEndpoint(t)
  await getToken(t, { tokenEndpoint, clientId: 'payment-service', clientSecret: 'a_b-c.d*' })
  t.equal(
    requests[0]?.headers.authorization,
    `Basic ${Buffer.from('payment-service:a_b-c.d*').toString('base64')}`,
  )
})

t.test('an outage during discovery honours Retry-After', async t => {
  const endpoint = await startTokenEndpoint(t, response =>
    response.writeHead(503, { 'retry-after': '20' }).end(),
  )
  const client = createTokenClient({
    baseUrl: 'https://receipts.example.com',
    issuer: new URL(endpoint.url).origin,
    clientId: 'payment',
    clientSecret: 'secret-text',
    clock: () => start,
  })
  t.teardown(() => client.close())
  t.match(await failureOf(client), {
    retryAfterMs: 20_000,
    detail: /\.well-known\/openid-configuration responded with 503, expected 200/,
  })
})
