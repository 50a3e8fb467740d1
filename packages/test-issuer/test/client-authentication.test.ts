import { generateKeyPairSync, randomUUID } from 'node:crypto'
import { exportJWK, SignJWT, type JWTPayload } from 'jose'
import t from 'tap'
import { createTestIssuer } from 'oauth-test-issuer'
import { audience, basic, grant, post, withClient, type Answer } from './token-request.js'

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
