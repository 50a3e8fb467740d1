import { generateKeyPairSync, randomUUID } from 'node:crypto'
import { decodeJwt, exportJWK, SignJWT, type JWTPayload } from 'jose'
import t from 'tap'
import { audience, basic, grant, other, post, withClient, type Answer } from './token-request.js'

t.test('marks token responses as uncacheable and includes the granted scopes (RFC 6749 §5.1)', async t => {
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
  t.test(`rejects ${what}: ${error}`, async t => {
    const { issuer, ask } = await withClient()
    t.teardown(() => issuer.close())
    const { status, body } = await ask(form)
    t.equal(status, 400)
    t.match(body, { error, error_description: /\w+ \w+/ })
  })

t.test('rejects invalid forms, repeated parameters, other methods and large bodies', async t => {
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

t.test('a client with several APIs must select one or more', async t => {
  const { issuer, ask } = await withClient({ audience: [audience, other] })
  t.teardown(() => issuer.close())
  t.match(await ask(grant), { status: 400, body: { error: 'invalid_target' } })
  const one = await ask({ ...grant, scope: `${other}/.default` })
  t.match(decodeJwt(String(one.body['access_token'])), { aud: other, scope: 'a b' })
  const both = new URLSearchParams([...Object.entries(grant), ['resource', audience], ['resource', other]])
  const { body } = await post(issuer.tokenEndpoint, both, basic('payment', 's3cret'))
  t.same(decodeJwt(String(body['access_token'])).aud, [audience, other])
})

t.test(
  'DPoP: binds the token to the key of a valid proof, and rejects invalid proofs (RFC 9449 §5)',
  async t => {
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
    t.same(
      bound,
      decodeJwt(await issuer.token({ audience, dpopKey: publicKey }))['cnf'],
      'as token() binds it',
    )
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
  },
)

t.test('includes the granted scope in the response like the vendor', async t => {
  for (const [profile, scope] of [
    ['rfc9068', 'a b'],
    ['keycloak', 'a b'],
    ['entra', undefined],
    ['cognito', undefined],
  ] as const) {
    const { issuer, ask } = await withClient({}, { profile, algorithm: 'ES256' })
    t.teardown(() => issuer.close())
    t.equal((await ask(grant)).body['scope'], scope, profile)
  }
})
