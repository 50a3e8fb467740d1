import { createLocalJWKSet, decodeProtectedHeader, jwtVerify } from 'jose'
import * as oauth from 'oauth4webapi'
import t from 'tap'
import { createTestIssuer, type ClientRegistration, type TestIssuer } from 'oauth-test-issuer'

const audience = 'https://api.example.com'
const payment: ClientRegistration = {
  clientId: 'payment',
  audience,
  scopes: ['receipts:read', 'receipts:write'],
}
const insecure = { [oauth.allowInsecureRequests]: true }

/** A client of the issuer, as oauth4webapi makes one from the issuer's metadata. */
async function clientOf(issuer: TestIssuer, algorithm: 'oidc' | 'oauth2' = 'oidc') {
  const url = new URL(issuer.url)
  const server = await oauth.processDiscoveryResponse(
    url,
    await oauth.discoveryRequest(url, { algorithm, ...insecure }),
  )
  return {
    server,
    async clientCredentials(
      clientId: string,
      authentication: oauth.ClientAuth,
      parameters: Record<string, string> = {},
    ) {
      const client = { client_id: clientId }
      const response = await oauth.clientCredentialsGrantRequest(
        server,
        client,
        authentication,
        new URLSearchParams(parameters),
        insecure,
      )
      return oauth.processClientCredentialsResponse(server, client, response)
    },
  }
}

t.test('a client gets a token that the published keys verify', async t => {
  await using issuer = await createTestIssuer()
  const { clientSecret } = issuer.registerClient(payment)
  for (const algorithm of ['oidc', 'oauth2'] as const) {
    const { clientCredentials } = await clientOf(issuer, algorithm)
    const answer = await clientCredentials('payment', oauth.ClientSecretBasic(clientSecret), {
      scope: 'receipts:write',
      resource: audience,
    })
    t.equal(answer.token_type, 'bearer')
    t.equal(answer.expires_in, 300)
    const { payload, protectedHeader } = await jwtVerify(
      answer.access_token,
      createLocalJWKSet(issuer.jwks as never),
      { issuer: issuer.url, audience, typ: 'at+jwt' },
    )
    t.match(payload, { sub: 'payment', client_id: 'payment', scope: 'receipts:write', jti: String })
    t.equal(protectedHeader.alg, 'ES256')
  }
})

t.test('the issuer signs whatever a test asks for', async t => {
  await using issuer = await createTestIssuer({ audience })
  const token = await issuer.token({
    scopes: ['a', 'b'],
    subject: 'alice',
    clientId: 'shop',
    claims: { tenant: 7, jti: undefined },
    header: { typ: 'JWT' },
    expiresIn: 5,
  })
  const { payload } = await jwtVerify(token, createLocalJWKSet(issuer.jwks as never))
  t.match(payload, {
    iss: issuer.url,
    aud: audience,
    sub: 'alice',
    client_id: 'shop',
    scope: 'a b',
    tenant: 7,
  })
  t.notOk('jti' in payload)
  t.equal(payload.exp! - payload.iat!, 5)
  t.equal(decodeProtectedHeader(token).typ, 'JWT')
})

t.test('a token for nobody is a mistake in the test', async t => {
  await using issuer = await createTestIssuer()
  await t.rejects(issuer.token(), /for nobody; give audience/)
})
