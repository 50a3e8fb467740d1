import { generateKeyPairSync, randomUUID } from 'node:crypto'
import { decodeJwt, exportJWK, SignJWT, type JWTPayload } from 'jose'
import t from 'tap'
import { createTestIssuer, type ClientRegistration, type TestIssuer } from 'oauth-test-issuer'

const audience = 'https://receipts.example.com'
const other = 'https://payments.example.com'
const grant = { grant_type: 'client_credentials' }

interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: Readonly<Record<string, unknown>>
}

async function post(
  url: string,
  form: URLSearchParams | Record<string, string>,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const response = await fetch(url, { method: 'POST', body: new URLSearchParams(form), headers })
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as Answer['body'],
  }
}

const basic = (id: string, secret: string): { authorization: string } => ({
  authorization: `Basic ${Buffer.from(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`).toString('base64')}`,
})

async function withClient(
  more: Partial<ClientRegistration> = {},
): Promise<{ issuer: TestIssuer; ask: (form: Record<string, string>) => Promise<Answer> }> {
  const client = { clientId: 'payment', clientSecret: 's3cret', audience, scopes: ['a', 'b'], ...more }
  const issuer = await createTestIssuer({ clients: [client] })
  return { issuer, ask: form => post(issuer.tokenEndpoint, form, basic('payment', 's3cret')) }
}

t.test('a token answer may not be kept, and says what was granted (RFC 6749 §5.1)', async t => {
  const { issuer, ask } = await withClient()
  t.teardown(() => issuer.close())
  const { status, headers, body } = await ask({ ...grant, scope: 'a' })
  t.equal(status, 200)
  t.match(headers.get('cache-control'), 'no-store')
  t.match(body, { token_type: 'Bearer', expires_in: 300, scope: 'a' })
  t.match(decodeJwt(String(body['access_token'])), { aud: audience, sub: 'payment', scope: 'a' })
  t.match((await ask(grant)).body, { scope: 'a b' }, 'all of its scopes where it asks for none')
})

for (const [what, form, error] of [
  ['no grant_type', {}, 'invalid_request'],
  ['an unknown grant', { grant_type: 'password' }, 'unsupported_grant_type'],
  ['a grant by a name that every object has', { grant_type: 'constructor' }, 'unsupported_grant_type'],
  [
    'a grant that is not for this client',
    { grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange' },
    'unauthorized_client',
  ],
  ["a scope that is not the client's", { ...grant, scope: 'a c' }, 'invalid_scope'],
  ["an API that is not the client's", { ...grant, resource: other }, 'invalid_target'],
  ["the same, as Auth0's audience", { ...grant, audience: other }, 'invalid_target'],
  ["the same, in Entra ID's way", { ...grant, scope: `${other}/.default` }, 'invalid_target'],
] as const)
  t.test(`refuses ${what}: ${error}`, async t => {
    const { issuer, ask } = await withClient()
    t.teardown(() => issuer.close())
    const { status, body } = await ask(form)
    t.equal(status, 400)
    t.match(body, { error, error_description: /\w+ \w+/ })
  })

t.test('refuses forms that are none, parameters that are there twice, other methods, and floods', async t => {
  const { issuer } = await withClient()
  t.teardown(() => issuer.close())
  const headers = basic('payment', 's3cret')
  const twice = new URLSearchParams([...Object.entries(grant), ['scope', 'a'], ['scope', 'b']])
  t.match(await post(issuer.tokenEndpoint, twice, headers), {
    status: 400,
    body: { error: 'invalid_request' },
  })
  const json = { ...headers, 'content-type': 'application/json' }
  t.match(await post(issuer.tokenEndpoint, grant, json), { status: 400, body: { error: 'invalid_request' } })
  const got = await fetch(issuer.tokenEndpoint)
  t.equal(got.status, 405)
  t.equal(got.headers.get('allow'), 'POST')
  t.equal((await post(issuer.tokenEndpoint, { ...grant, padding: 'x'.repeat(70_000) }, headers)).status, 413)
})

t.test('a client that may call several APIs names one, or several', async t => {
  const { issuer, ask } = await withClient({ audience: [audience, other] })
  t.teardown(() => issuer.close())
  t.match(await ask(grant), { status: 400, body: { error: 'invalid_target' } })
  const one = await ask({ ...grant, scope: `${other}/.default` })
  t.match(decodeJwt(String(one.body['access_token'])), { aud: other, scope: 'a b' })
  const both = new URLSearchParams([...Object.entries(grant), ['resource', audience], ['resource', other]])
  const { body } = await post(issuer.tokenEndpoint, both, basic('payment', 's3cret'))
  t.same(decodeJwt(String(body['access_token'])).aud, [audience, other])
})

t.test('secrets: Basic or in the form, form-urlencoded, and not both (RFC 6749 §2.3)', async t => {
  const id = 'payment service+1'
  const secret = 'a:b+c%d é'
  await using issuer = await createTestIssuer({ clients: [{ clientId: id, clientSecret: secret, audience }] })
  const inForm = { ...grant, client_id: id, client_secret: secret }
  t.equal((await post(issuer.tokenEndpoint, grant, basic(id, secret))).status, 200)
  t.equal((await post(issuer.tokenEndpoint, inForm)).status, 200)
  t.match(await post(issuer.tokenEndpoint, inForm, basic(id, secret)), {
    status: 400,
    body: { error: 'invalid_request' },
  })
  const asItself = { ...grant, client_id: id }
  t.equal((await post(issuer.tokenEndpoint, asItself, basic(id, secret))).status, 200)
  t.match(await post(issuer.tokenEndpoint, { ...grant, client_id: 'another' }, basic(id, secret)), {
    status: 400,
    body: { error: 'invalid_request', error_description: /client_id is not the one/ },
  })
  for (const [what, answer] of [
    ['nothing', await post(issuer.tokenEndpoint, grant)],
    ['a wrong secret', await post(issuer.tokenEndpoint, grant, basic(id, 'other'))],
    ['an unknown client', await post(issuer.tokenEndpoint, grant, basic('nobody', secret))],
    ['not Basic', await post(issuer.tokenEndpoint, grant, { authorization: 'Bearer x' })],
    ['no colon', await post(issuer.tokenEndpoint, grant, { authorization: 'Basic YWJj' })],
    [
      'percent signs alone',
      await post(issuer.tokenEndpoint, grant, { authorization: `Basic ${btoa('%:%')}` }),
    ],
  ] as const) {
    t.match(answer, { status: 401, body: { error: 'invalid_client' } }, what)
    t.match(answer.headers.get('www-authenticate'), /^Basic/, what)
    t.notMatch(JSON.stringify(answer.body), secret, what)
  }
})

t.test('a client that is registered for one way of authentication has no other', async t => {
  const { issuer } = await withClient({ authentication: 'client_secret_post' })
  t.teardown(() => issuer.close())
  t.match(await post(issuer.tokenEndpoint, grant, basic('payment', 's3cret')), {
    status: 401,
    body: { error: 'invalid_client', error_description: /client_secret_post, not by client_secret_basic/ },
  })
})

t.test('private_key_jwt: for this issuer, in time, by its key, once (RFC 7523 §3)', async t => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
  await using issuer = await createTestIssuer()
  const jwks = { keys: [{ ...(await exportJWK(publicKey)), kid: '1', alg: 'ES256' }] }
  issuer.registerClient({ clientId: 'payment', audience, jwks })
  const sign = (change: JWTPayload, key = privateKey): Promise<string> =>
    new SignJWT({
      iss: 'payment',
      sub: 'payment',
      aud: issuer.url,
      exp: Math.floor(Date.now() / 1000) + 60,
      jti: randomUUID(),
      ...change,
    })
      .setProtectedHeader({ alg: 'ES256', kid: '1' })
      .sign(key)
  const ask = (assertion: string, more: Record<string, string> = {}): Promise<Answer> =>
    post(issuer.tokenEndpoint, {
      ...grant,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: assertion,
      ...more,
    })
  const good = await sign({})
  t.equal((await ask(good)).status, 200)
  t.equal((await ask(await sign({ aud: issuer.tokenEndpoint }))).status, 200, 'for the token endpoint')
  for (const [what, assertion, more] of [
    ['used before', good, {}],
    ['for somebody else', await sign({ aud: 'https://other.example' }), {}],
    ['expired', await sign({ exp: 1 }), {}],
    ['without an end', await sign({ exp: undefined as never }), {}],
    ['without an id', await sign({ jti: undefined as never }), {}],
    ['by another key', await sign({}, stranger), {}],
    ['of another client', await sign({ sub: 'nobody' }), {}],
    ['for another client_id', await sign({}), { client_id: 'nobody' }],
    ['no JWT', 'x', {}],
  ] as const)
    t.match(await ask(assertion, more), { status: 401, body: { error: 'invalid_client' } }, what)
  t.match(await ask(await sign({}), { client_assertion_type: 'other' }), { status: 400 })
  t.match(await post(issuer.tokenEndpoint, grant, basic('payment', 'x')), { status: 401 }, 'no secret')
})

t.test('token exchange: for what was meant for the client, the chain of actors kept (RFC 8693)', async t => {
  const grants = ['client_credentials', 'token_exchange'] as const
  const { issuer, ask } = await withClient({ grants, ownAudience: other })
  t.teardown(() => issuer.close())
  const accessToken = 'urn:ietf:params:oauth:token-type:access_token'
  const form = (subject: string, more: Record<string, string> = {}): Record<string, string> => ({
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    subject_token: subject,
    subject_token_type: accessToken,
    ...more,
  })
  const users = await issuer.token({ audience: other, subject: 'ada', claims: { act: { sub: 'gateway' } } })
  const { status, body } = await ask(form(users, { scope: 'a' }))
  t.equal(status, 200)
  t.equal(body['issued_token_type'], accessToken)
  t.match(decodeJwt(String(body['access_token'])), {
    sub: 'ada',
    client_id: 'payment',
    aud: audience,
    scope: 'a',
  })

  const actor = await issuer.token({ audience: other, clientId: 'payment' })
  const acted = await ask(form(users, { actor_token: actor, actor_token_type: accessToken }))
  t.same(decodeJwt(String(acted.body['access_token']))['act'], { sub: 'payment', act: { sub: 'gateway' } })

  const [header, payload] = users.split('.')
  for (const [what, given, error] of [
    ['meant for another API', form(await issuer.token({ audience, subject: 'ada' })), 'invalid_grant'],
    ['expired', form(await issuer.token({ audience: other, expiresIn: -60 })), 'invalid_request'],
    ['changed', form(`${header}.${payload}.AAAA`), 'invalid_request'],
    ['of an unknown type', { ...form(users), subject_token_type: 'x' }, 'invalid_request'],
    ['for an unknown type', form(users, { requested_token_type: 'x' }), 'invalid_request'],
  ] as const)
    t.match(await ask(given), { status: 400, body: { error } }, what)
  issuer.revoke(users)
  t.match(await ask(form(users)), { status: 400, body: { error: 'invalid_request' } }, 'revoked')
})

t.test("JWT bearer, Entra ID's on-behalf-of: the user stays the same (RFC 7523 §2.1)", async t => {
  await using issuer = await createTestIssuer({ dialect: 'entra', algorithm: 'ES256' })
  issuer.registerClient({
    clientId: 'payment',
    clientSecret: 's3cret',
    audience,
    scopes: ['a'],
    grants: ['jwt_bearer'],
    ownAudience: other,
  })
  const ask = (assertion: string): Promise<Answer> =>
    post(
      issuer.tokenEndpoint,
      {
        grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
        assertion,
        requested_token_use: 'on_behalf_of',
      },
      basic('payment', 's3cret'),
    )
  const incoming = await issuer.token({ audience: other, subject: 'ada' })
  const { body } = await ask(incoming)
  const { oid, scp } = decodeJwt(String(body['access_token']))
  t.equal(oid, decodeJwt(incoming)['oid'])
  t.equal(scp, 'a')
  t.match(await ask('x.y.z'), { status: 400, body: { error: 'invalid_grant' } })
})

t.test('DPoP: a proof binds the token; a wrong one gets none (RFC 9449 §5)', async t => {
  const { issuer } = await withClient()
  t.teardown(() => issuer.close())
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const jwk = await exportJWK(publicKey)
  const prove = (change: JWTPayload = {}, typ = 'dpop+jwt'): Promise<string> =>
    new SignJWT({
      htm: 'POST',
      htu: issuer.tokenEndpoint,
      jti: randomUUID(),
      iat: Math.floor(Date.now() / 1000),
      ...change,
    })
      .setProtectedHeader({ alg: 'ES256', typ, jwk })
      .sign(privateKey)
  const ask = (dpop: string): Promise<Answer> =>
    post(issuer.tokenEndpoint, grant, { ...basic('payment', 's3cret'), dpop })
  const good = await prove()
  const { status, body } = await ask(good)
  t.equal(status, 200)
  t.equal(body['token_type'], 'DPoP')
  const bound = decodeJwt(String(body['access_token']))['cnf']
  t.same(bound, decodeJwt(await issuer.token({ audience, dpopKey: publicKey }))['cnf'], 'as token() binds it')
  for (const [what, proof] of [
    ['used before', good],
    ['for another method', await prove({ htm: 'GET' })],
    ['for another URL', await prove({ htu: `${issuer.url}/other` })],
    ['too old', await prove({ iat: Math.floor(Date.now() / 1000) - 120 })],
    ['no proof by its type', await prove({}, 'JWT')],
    ['without an id', await prove({ jti: undefined as never })],
    ['no JWT', 'x'],
  ] as const)
    t.match(await ask(proof), { status: 400, body: { error: 'invalid_dpop_proof' } }, what)
})

t.test('introspection: for registered clients; nothing of a token that is not valid (RFC 7662)', async t => {
  const { issuer } = await withClient()
  t.teardown(() => issuer.close())
  const token = await issuer.token({ audience, scopes: ['a'], subject: 'ada' })
  const ask = (about: string, headers = basic('payment', 's3cret')): Promise<Answer> =>
    post(issuer.introspectionEndpoint, { token: about }, headers)
  t.match(await ask(token), {
    status: 200,
    body: {
      active: true,
      sub: 'ada',
      scope: 'a',
      aud: audience,
      token_type: 'Bearer',
      client_id: 'test-client',
    },
  })
  t.match(await ask(token, basic('payment', 'wrong')), { status: 401 })
  t.match(await post(issuer.introspectionEndpoint, {}, basic('payment', 's3cret')), { status: 400 })
  t.same((await ask('garbage')).body, { active: false })
  t.same((await ask(await issuer.token({ audience, expiresIn: -1 }))).body, { active: false })
  issuer.revoke(token)
  t.same((await ask(token)).body, { active: false })
})
