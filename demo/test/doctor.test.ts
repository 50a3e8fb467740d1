import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createTestIssuer } from 'oauth-test-issuer'
import t, { type Test } from 'tap'
import type { CallsWith } from '#src/config.js'
import { requestToken, verifyToken } from '#src/doctor/examine-token.js'

const audience = 'https://receipts.example'

/** What a server answers to requests for metadata, and for tokens. */
interface Server {
  readonly metadata?: (response: ServerResponse, url: string) => void
  readonly token?: (response: ServerResponse) => void
}

async function serve(t: Test, { metadata = names, token = () => {} }: Server): Promise<string> {
  const server = createServer((request, response) => {
    if (request.url?.includes('.well-known') === true) metadata(response, url)
    else if (request.url === '/jwks') json(response, 200, { keys: [publicKey] })
    else token(response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return url
}

const json = (response: ServerResponse, status: number, body: object): void =>
  void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))

function names(response: ServerResponse, url: string, issuer = url): void {
  json(response, 200, { issuer, token_endpoint: `${url}/token`, jwks_uri: `${url}/jwks` })
}

const refuses =
  (error: string): NonNullable<Server['token']> =>
  response =>
    json(response, error === 'invalid_client' ? 401 : 400, { error })

const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const privateKey = pair.privateKey.export({ format: 'jwk' })
const publicKey = pair.publicKey.export({ format: 'jwk' })

/** What a server does, what the client is given, and what the remedy names. */
const failures: readonly (readonly [what: string, Server, Partial<CallsWith>, remedy: RegExp])[] = [
  [
    'has no metadata',
    { metadata: response => response.writeHead(404).end() },
    {},
    /`metadataUrl`.*METADATA_URL/,
  ],
  [
    'redirects its metadata',
    { metadata: response => response.writeHead(301, { location: '/other' }).end() },
    {},
    /`metadataUrl`/,
  ],
  [
    'answers with a web page',
    { metadata: response => response.writeHead(200, { 'content-type': 'text/html' }).end('<p>hello') },
    {},
    /`metadataUrl`.*`jwksUri`/,
  ],
  [
    'spells its name otherwise',
    { metadata: (response, url) => names(response, url, `${url}/`) },
    {},
    /`issuer` to exactly the value in the issuer's metadata.*ISSUER/,
  ],
  [
    'expects the secret in the body',
    { token: refuses('invalid_client') },
    {},
    /`clientAuthentication: client_secret_post`.*CLIENT_AUTHENTICATION/,
  ],
  [
    'does not decode credentials of HTTP Basic',
    { token: refuses('invalid_client') },
    { clientSecret: 'p%s:s' },
    /`clientAuthentication`.*client_secret_basic_unencoded/,
  ],
  [
    'expects another audience or algorithm of assertions',
    { token: refuses('invalid_client') },
    { privateKey },
    /`keyAlgorithm`.*`assertionAudience`.*KEY_ALGORITHM, ASSERTION_AUDIENCE/,
  ],
  [
    'does not know the API',
    { token: refuses('invalid_target') },
    {},
    /`resource`.*`audience`.*`scopes` alone.*RESOURCE, PROFILE/,
  ],
  ['wants another parameter', { token: refuses('invalid_request') }, {}, /`resource`.*`audience`.*`profile`/],
  ['does not know the scope', { token: refuses('invalid_scope') }, {}, /`scopes`/],
  [
    'answers the token request with a web page',
    { token: response => response.writeHead(200, { 'content-type': 'text/html' }).end('<p>hello') },
    {},
    /`issuer`, `tokenEndpoint`/,
  ],
  ['answers with an error of its own', { token: refuses('out_of_tokens') }, {}, /`issuer`, `tokenEndpoint`/],
  ['is not ready for this grant', { token: refuses('unsupported_grant_type') }, {}, /`tokenEndpoint`/],
]

t.test('without a token, the doctor names the option that the server needs', async t => {
  for (const [what, server, options, remedy] of failures) {
    const issuer = await serve(t, server)
    const { token, finding } = await requestToken(
      {
        baseUrl: audience,
        issuer,
        clientId: 'payment',
        ...('privateKey' in options ? {} : { clientSecret: 'secret' }),
        scopes: ['receipts:write'],
        ...options,
      },
      { issuer, audience },
    )
    t.equal(token, undefined)
    t.match(finding, { isWell: false, remedy }, what)
    t.notMatch(JSON.stringify(finding), /p%s:s|"secret"/)
  }
})

t.test('with a token, the doctor names what the explanation names', async t => {
  const keycloak = await createTestIssuer({ profile: 'keycloak', audience })
  t.teardown(() => keycloak.close())
  const good = await keycloak.token({ audience, scopes: ['receipts:write'] })
  const verification = { profile: 'keycloak' } as const
  const trusted = { issuer: keycloak.url, audience, verification }
  const elsewhere = await serve(t, { metadata: response => response.writeHead(404).end() })
  t.match(await verifyToken(trusted, ['receipts:write'], good), { isWell: true })
  for (const [what, protectedBy, token, finding] of [
    [
      'another profile',
      { issuer: keycloak.url, audience },
      good,
      { remedy: /`profile: 'keycloak'`.*PROFILE/ },
    ],
    [
      'another audience',
      { ...trusted, audience: 'https://other.example' },
      good,
      { remedy: /`resource`.*`audience`.*AUDIENCE/ },
    ],
    [
      'no audience',
      trusted,
      await keycloak.token({ audience, claims: { aud: undefined } }),
      { found: /claim aud is missing/, remedy: /`resource`.*`scopes`/ },
    ],
    ['an opaque token', trusted, 'opaque', { remedy: /`resource`.*`introspection`/ }],
    [
      'no scope',
      trusted,
      await keycloak.token({ audience }),
      { found: /scopes/, remedy: /Grant the scopes/ },
    ],
    [
      'no metadata',
      { ...trusted, issuer: elsewhere },
      good,
      { found: /iss is .*; expected/, remedy: /`issuer` to exactly "http/ },
    ],
  ] as const) {
    const found = await verifyToken(protectedBy, ['receipts:write'], token)
    t.match(found, { isWell: false, ...finding }, what)
    t.notMatch(JSON.stringify(found), good.split('.')[2] ?? '')
  }
})
