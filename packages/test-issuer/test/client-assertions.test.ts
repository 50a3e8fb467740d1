import { createSecretKey, generateKeyPairSync, randomUUID, type KeyObject } from 'node:crypto'
import { exportJWK, SignJWT, type JWTPayload } from 'jose'
import * as oauth from 'oauth4webapi'
import t, { type Test } from 'tap'
import {
  createTestIssuer,
  type ClientRegistration,
  type TestIssuer,
  type TestIssuerOptions,
} from 'oauth-test-issuer'
import { audience, grant, post, type Answer } from './token-request.js'

const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const jwks = { keys: [{ ...(await exportJWK(pair.publicKey)), kid: '1', alg: 'ES256' }] }
const clientSecret = 'a secret of thirty-two bytes or more'
const bySecret: ClientRegistration = { clientId: 'payment', audience, clientSecret }
const byKey: ClientRegistration = { clientId: 'payment', audience, jwks }

interface Sent {
  readonly claims?: JWTPayload
  readonly header?: Record<string, unknown>
  readonly key?: KeyObject
  readonly form?: Record<string, string>
}

async function start(
  t: Test,
  client: ClientRegistration,
  options: TestIssuerOptions = {},
): Promise<{ issuer: TestIssuer; ask: (sent?: Sent) => Promise<Answer> }> {
  const issuer = await createTestIssuer({ ...options, clients: [client] })
  t.teardown(() => issuer.close())
  const usual = client.jwks === undefined ? createSecretKey(Buffer.from(clientSecret)) : pair.privateKey
  async function ask({ claims, header, key = usual, form }: Sent = {}): Promise<Answer> {
    const alg = key.type === 'secret' ? 'HS256' : 'ES256'
    const assertion = await new SignJWT({
      iss: 'payment',
      sub: 'payment',
      aud: issuer.url,
      jti: randomUUID(),
      exp: Math.floor(Date.now() / 1000) + 60,
      ...claims,
    })
      .setProtectedHeader({ alg, ...header })
      .sign(key)
    return post(issuer.tokenEndpoint, {
      ...grant,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: assertion,
      ...form,
    })
  }
  return { issuer, ask }
}

/** @param description the expected error description */
function refused(description: RegExp): object {
  return { status: 401, body: { error: 'invalid_client', error_description: description } }
}

for (const client of [bySecret, byKey]) {
  const method = client.jwks === undefined ? 'client_secret_jwt' : 'private_key_jwt'

  t.test(`${method}: accepts a valid assertion once (RFC 7523 §3)`, async t => {
    const { issuer, ask } = await start(t, client)
    t.equal((await ask()).status, 200)
    t.equal((await ask({ claims: { aud: issuer.tokenEndpoint } })).status, 200)
    t.equal((await ask({ claims: { aud: ['https://other.example', issuer.url] } })).status, 200)
    const jti = randomUUID()
    t.equal((await ask({ claims: { jti } })).status, 200)
    t.equal(
      (await ask({ claims: { nbf: Math.floor(Date.now() / 1000) + 2 } })).status,
      200,
      'clocks differ a little',
    )
    t.match(await ask({ claims: { jti } }), refused(/jti was used before/))
  })

  t.test(`${method}: rejects an invalid assertion with the reason (RFC 7523 §3)`, async t => {
    const { issuer, ask } = await start(t, client)
    const absent = undefined as never
    for (const [claims, description] of [
      [
        { aud: 'https://other.example' },
        /the aud claim is https:\/\/other.example; expected the issuer http/,
      ],
      [{ aud: absent }, /missing required .aud. claim/],
      [{ exp: 1 }, /exp/],
      [{ nbf: Math.floor(Date.now() / 1000) + 60 }, /nbf/],
      [{ exp: absent }, /exp/],
      [{ jti: absent }, /jti/],
      [{ iss: 'nobody' }, /iss/],
      [{ sub: 'nobody' }, /the sub claim is not the id of a registered client/],
      [{ sub: 5 as never }, /the sub claim is not the id of a registered client/],
    ] as const)
      t.match(await ask({ claims }), refused(description), JSON.stringify(claims))
    t.match(
      await ask({ form: { client_id: 'nobody' } }),
      refused(/the sub claim differs from the client_id parameter/),
    )
    for (const client_assertion of [
      'x',
      'a.b.c',
      'bnVsbA.bnVsbA.x',
      'eyJhbGciOjV9.eyJzdWIiOiJwYXltZW50In0.x',
    ])
      t.match(await ask({ form: { client_assertion } }), refused(/client_assertion: /), client_assertion)
    t.match(await ask({ form: { client_assertion_type: 'other' } }), {
      status: 400,
      body: { error: 'invalid_request' },
    })
    t.match([...issuer.requests].map(({ clientId }) => clientId).filter(Boolean), [], 'nobody authenticated')
  })

  t.test(`${method}: rejects the key of another client and the other method`, async t => {
    const { ask } = await start(t, client)
    const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
    const guess = createSecretKey(Buffer.from('another secret that is long enough!!'))
    for (const key of [stranger, guess]) t.match(await ask({ key }), refused(/client_assertion: /))
    const publicKey = createSecretKey(
      Buffer.from(pair.publicKey.export({ type: 'spki', format: 'pem' }) as string),
    )
    t.match(await ask({ key: publicKey }), refused(/client_assertion: /), 'HMAC with the public key')
  })

  t.test(`${method}: rfc10070 requires the issuer as the only audience, and the type`, async t => {
    const { issuer, ask } = await start(t, client, {
      clientAssertions: 'rfc10070',
      profile: 'okta',
      algorithm: 'ES256',
    })
    const typed = { typ: 'client-authentication+jwt' }
    t.equal((await ask({ header: typed })).status, 200)
    t.equal((await ask({ header: typed, claims: { aud: [issuer.url] } })).status, 200)
    t.equal((await ask({ header: { typ: 'application/Client-Authentication+JWT' } })).status, 200)
    for (const aud of [issuer.tokenEndpoint, [issuer.url, issuer.tokenEndpoint], [], `${issuer.url}/`])
      t.match(
        await ask({ header: typed, claims: { aud } }),
        refused(/the aud claim is .*; expected only the issuer/),
      )
    for (const header of [{}, { typ: 'JWT' }, { typ: 'at+jwt' }])
      t.match(await ask({ header }), refused(/the typ header is .*; expected client-authentication\+jwt/))
  })
}

t.test('an independent client authenticates by client_secret_jwt', async t => {
  const { issuer } = await start(t, { ...bySecret, authentication: 'client_secret_jwt' })
  const server = { issuer: issuer.url, token_endpoint: issuer.tokenEndpoint }
  const client = { client_id: 'payment' }
  const insecure = { [oauth.allowInsecureRequests]: true }
  const response = await oauth.clientCredentialsGrantRequest(
    server,
    client,
    oauth.ClientSecretJwt(clientSecret),
    {},
    insecure,
  )
  t.equal((await oauth.processClientCredentialsResponse(server, client, response)).token_type, 'bearer')
  t.match(issuer.metadata['token_endpoint_auth_methods_supported'], /client_secret_jwt/)
})

t.test('rejects other methods of a client that is registered for client_secret_jwt', async t => {
  const { issuer } = await start(t, { ...bySecret, authentication: 'client_secret_jwt' })
  const form = { ...grant, client_id: 'payment', client_secret: clientSecret }
  t.match(
    await post(issuer.tokenEndpoint, form),
    refused(/must authenticate with client_secret_jwt, not with client_secret_post/),
  )
})
