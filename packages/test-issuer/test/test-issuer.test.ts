import { X509Certificate } from 'node:crypto'
import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose'
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

/** A client of oauth4webapi, configured from the metadata of the issuer. */
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

t.test('issues tokens that the published keys verify', async t => {
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

t.test('signs any token that a test describes', async t => {
  await using issuer = await createTestIssuer({ audience })
  const token = await issuer.token({
    scopes: ['a', 'b'],
    subject: 'alice',
    clientId: 'shop',
    claims: { tenant: 7, jti: undefined },
    header: { typ: 'JWT' },
    expiresInMs: 5_000,
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

t.test('rejects a token without an audience', async t => {
  await using issuer = await createTestIssuer()
  await t.rejects(issuer.token(), /no audience; pass an audience to token\(\)/)
})

/** Created by `openssl req -x509`. The thumbprint is `openssl dgst -sha256` of the DER. */
const certificate = `-----BEGIN CERTIFICATE-----
MIIBejCCASGgAwIBAgIUZwrRqc7DOb3bjp+BrVWRtQAfzgEwCgYIKoZIzj0EAwIw
EjEQMA4GA1UEAwwHcGF5bWVudDAgFw0yNjExMjUyMzU0MjVaGA8yMTI2MTEwMTIz
NTQyNVowEjEQMA4GA1UEAwwHcGF5bWVudDBZMBMGByqGSM49AgEGCCqGSM49AwEH
A0IABGizXc3BDyKBoGgGaKXGf+UD3A/THKNb12EzNOZtzu3uPPm/N4vun0BHlz2G
e3p/5qXDLP084lSKwSCfK8BpHdujUzBRMB0GA1UdDgQWBBQe36Ywsd0/RKPeQa5+
uFKbimQkbjAfBgNVHSMEGDAWgBQe36Ywsd0/RKPeQa5+uFKbimQkbjAPBgNVHRMB
Af8EBTADAQH/MAoGCCqGSM49BAMCA0cAMEQCIBX2BSNwA3emYsGHmsiOJ4sqJp1x
eMWt0b5ZPIOpclRpAiAbvEt8sxyO6KddOeXpZd5TuIe1GPc3ovVQLMOju8ZLHw==
-----END CERTIFICATE-----`
const thumbprint = 'XsCnh3Hn1vqXzYQFTMiQ2LYFogS4hV7eAzP4S555UNI'

t.test('binds tokens to a certificate (RFC 8705 §3.1) and to a DPoP key (RFC 9449 §6.1)', async t => {
  await using issuer = await createTestIssuer({ audience })
  const { raw } = new X509Certificate(certificate)
  for (const given of [certificate, raw, new X509Certificate(certificate)])
    t.same(decodeJwt(await issuer.token({ certificate: given }))['cnf'], { 'x5t#S256': thumbprint })
  // The example key and thumbprint of RFC 7638 §3.1.
  const dpopKey = {
    kty: 'RSA',
    n: '0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw',
    e: 'AQAB',
  }
  t.same(decodeJwt(await issuer.token({ dpopKey }))['cnf'], {
    jkt: 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs',
  })
})
