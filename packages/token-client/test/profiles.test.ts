import { decodeJwt, decodeProtectedHeader } from 'jose'
import { generateKeyPairSync } from 'node:crypto'
import t, { type Test } from 'tap'
import { createTokenClient, type ProfileName, type TokenClientOptions } from 'fastify-token-client'
import { startTokenEndpoint } from './token-endpoint.js'

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const issuer = 'https://login.example.com/tenant'

/** What a client with these options asks the token endpoint for. */
async function asked(t: Test, options: Partial<TokenClientOptions>): Promise<[string, string][]> {
  const endpoint = await startTokenEndpoint(t)
  const client = createTokenClient({
    baseUrl: 'https://receipts.example.com',
    issuer,
    tokenEndpoint: endpoint.url,
    clientId: 'payment',
    privateKey,
    ...options,
  })
  t.teardown(() => client.close())
  await client.getToken()
  await client.onBehalfOf('theirs').getToken()
  const sent = endpoint.requests.flatMap(({ body }) => [...new URLSearchParams(body)])
  return sent.map(([name, value]) => [
    name,
    name === 'client_assertion' ? String(decodeJwt(value).aud).replace(endpoint.url, 'the endpoint') : value,
  ])
}

const exchange = 'urn:ietf:params:oauth:grant-type:token-exchange'
const jwtBearer = 'urn:ietf:params:oauth:grant-type:jwt-bearer'

/** Profile → options, the parameters they become, whom the assertion is for, the grant for a caller's token. */
const rows: Record<ProfileName, [Partial<TokenClientOptions>, [string, string][], string, string]> = {
  rfc9068: [
    { scopes: ['a', 'b'], resource: ['https://one.example', 'https://two.example'] },
    [
      ['scope', 'a b'],
      ['resource', 'https://one.example'],
      ['resource', 'https://two.example'],
    ],
    issuer,
    exchange,
  ],
  entra: [{ resource: 'api://receipts' }, [['scope', 'api://receipts/.default']], 'the endpoint', jwtBearer],
  auth0: [
    { scopes: ['a'], resource: 'https://receipts.example.com' },
    [
      ['scope', 'a'],
      ['audience', 'https://receipts.example.com'],
    ],
    issuer,
    exchange,
  ],
  keycloak: [{ scopes: ['a'] }, [['scope', 'a']], issuer, exchange],
  okta: [{ scopes: ['a'] }, [['scope', 'a']], 'the endpoint', exchange],
  cognito: [{ scopes: ['receipts/a'] }, [['scope', 'receipts/a']], issuer, exchange],
  generic: [
    { scopes: ['a'], resource: 'https://one.example' },
    [
      ['scope', 'a'],
      ['resource', 'https://one.example'],
    ],
    issuer,
    exchange,
  ],
}

for (const [profile, [options, parameters, audience, grant]] of Object.entries(rows))
  t.test(`${profile}: the parameters of the token request`, async t => {
    const sent = await asked(t, { profile: profile as ProfileName, ...options })
    const names = new Set(parameters.map(([name]) => name))
    const relevant = sent.filter(([name]) => names.has(name))
    t.strictSame(relevant, [...parameters, ...parameters], 'the same for both grants')
    const valuesOf = (wanted: string): string[] =>
      sent.filter(([name]) => name === wanted).map(([, value]) => value)
    t.strictSame(valuesOf('client_assertion'), [audience, audience])
    t.strictSame(valuesOf('grant_type'), ['client_credentials', grant])
    if (grant === jwtBearer) {
      t.strictSame(valuesOf('assertion'), ['theirs'])
      t.strictSame(valuesOf('requested_token_use'), ['on_behalf_of'])
    } else {
      t.strictSame(valuesOf('subject_token'), ['theirs'])
      t.strictSame(valuesOf('subject_token_type'), ['urn:ietf:params:oauth:token-type:access_token'])
    }
  })

for (const [options, message] of [
  [{ profile: 'auth0', resource: ['a:1', 'a:2'] }, /`resource` has several members; with this profile/],
  [
    { profile: 'auth0', resource: 'a:1', audience: 'a:2' },
    /`resource` and `audience` have the same meaning with this/,
  ],
  [{ audience: 'a:1', parameters: { audience: 'a:2' } }, /`parameters` has `audience`, which another option/],
  [{ resource: 'a:1', parameters: { resource: 'a:2' } }, /`parameters` has `resource`, which another option/],
] satisfies [Partial<TokenClientOptions>, RegExp][])
  t.test(`a parameter can be set by one option only: ${JSON.stringify(options)}`, t => {
    const whole = { baseUrl: 'https://a.example', issuer, clientId: 'payment', clientSecret: 'x', ...options }
    t.throws(() => createTokenClient(whole), { code: 'TOKEN_CLIENT_INVALID_OPTION', message })
    t.end()
  })

t.test('audience and other parameters are sent', async t => {
  const sent = await asked(t, { audience: 'receipts', parameters: { organization: 'org_1', claims: '{}' } })
  t.strictSame(sent.filter(([name]) => ['audience', 'organization', 'claims'].includes(name)).slice(0, 3), [
    ['audience', 'receipts'],
    ['organization', 'org_1'],
    ['claims', '{}'],
  ])
})

t.test('the profile selects the algorithm of an RSA key, unless the key or an option does', async t => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
  const jwk = { ...rsa.export({ format: 'jwk' }), alg: 'RS384' }
  for (const [options, algorithm] of [
    [{}, 'RS256'],
    [{ profile: 'keycloak' }, 'RS256'],
    [{ profile: 'entra' }, 'PS256'],
    [{ profile: 'entra', keyAlgorithm: 'RS256' }, 'RS256'],
    [{ profile: 'entra', privateKey: jwk }, 'RS384'],
  ] satisfies [Partial<TokenClientOptions>, string][]) {
    const endpoint = await startTokenEndpoint(t)
    const client = createTokenClient({
      baseUrl: 'https://receipts.example.com',
      issuer,
      tokenEndpoint: endpoint.url,
      clientId: 'payment',
      privateKey: rsa,
      ...(options.profile === 'entra' ? { resource: 'api://receipts' } : {}),
      ...options,
    })
    t.teardown(() => client.close())
    await client.getToken()
    const assertion = new URLSearchParams(endpoint.requests[0]?.body).get('client_assertion') ?? ''
    t.equal(decodeProtectedHeader(assertion).alg, algorithm, JSON.stringify(options.profile))
  }
})
