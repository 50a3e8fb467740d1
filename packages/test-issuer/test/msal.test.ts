import { generateKeyPairSync } from 'node:crypto'
import {
  ConfidentialClientApplication,
  type INetworkModule,
  type NetworkRequestOptions,
} from '@azure/msal-node'
import { createLocalJWKSet, exportJWK, jwtVerify } from 'jose'
import t from 'tap'
import { createTestIssuer, type TestIssuer } from 'oauth-test-issuer'

const audience = 'api://receipts'
const clientId = 'f3a0c1de-5b2c-4c61-9b8e-2f1d6a0b7c55'
const scopes = [`${audience}/.default`]
const production = 'https://login.microsoftonline.com/8eaef023-2b34-4da1-9baa-8bc8c9d6a490'

async function claimsOf(issuer: TestIssuer, token: string | undefined): Promise<object> {
  const keys = createLocalJWKSet(issuer.jwks as never)
  return (await jwtVerify(token ?? '', keys, { issuer: issuer.url, audience })).payload
}

t.test('MSAL accepts the metadata as an option and keeps its production authority', async t => {
  // MSAL renews tokens that expire within five minutes, so tokens with a shorter lifetime are never reused.
  const expiresInMs = 3_600_000
  await using issuer = await createTestIssuer({ profile: 'entra', algorithm: 'ES256', expiresInMs })
  const { clientSecret } = issuer.registerClient({ clientId, audience, scopes: ['receipts:read'] })
  const app = new ConfidentialClientApplication({
    auth: {
      clientId,
      clientSecret,
      authority: production,
      authorityMetadata: JSON.stringify(issuer.metadata),
    },
  })
  const result = await app.acquireTokenByClientCredential({ scopes })
  t.match(await claimsOf(issuer, result?.accessToken), { roles: ['receipts:read'], azp: clientId })
  t.match(result?.expiresOn, Date)
  const again = await app.acquireTokenByClientCredential({ scopes })
  t.equal(again?.fromCache, true)
  t.equal(issuer.requests.count('token'), 1)

  const wrong = new ConfidentialClientApplication({
    auth: {
      clientId,
      clientSecret: 'x',
      authority: production,
      authorityMetadata: JSON.stringify(issuer.metadata),
    },
  })
  await t.rejects(wrong.acquireTokenByClientCredential({ scopes }), /unknown client or wrong secret/)
})

t.test('MSAL authenticates with a certificate, with the token endpoint as audience', async t => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const jwks = { keys: [await exportJWK(publicKey)] }
  await using issuer = await createTestIssuer({
    profile: 'entra',
    algorithm: 'ES256',
    clients: [{ clientId, audience, jwks: jwks as never }],
  })
  const app = new ConfidentialClientApplication({
    auth: {
      clientId,
      clientCertificate: {
        thumbprintSha256: 'ab'.repeat(32),
        privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
      },
      authority: production,
      authorityMetadata: JSON.stringify(issuer.metadata),
    },
  })
  const result = await app.acquireTokenByClientCredential({ scopes })
  t.match(await claimsOf(issuer, result?.accessToken), { azp: clientId })
})

/** A network module for MSAL that sends requests to the issuer. */
function networkOf(issuer: TestIssuer): INetworkModule {
  const send =
    (method: string) =>
    async (url: string, { headers, body }: NetworkRequestOptions = {}) => {
      const response = await issuer.fetch(url, {
        method,
        ...(headers === undefined ? {} : { headers }),
        ...(body === undefined ? {} : { body }),
      })
      return {
        status: response.status,
        headers: Object.fromEntries(response.headers),
        body: (await response.json()) as never,
      }
    }
  return { sendGetRequestAsync: send('GET'), sendPostRequestAsync: send('POST') }
}

t.test('MSAL discovers the issuer through a network module, without a socket', async t => {
  const origin = 'https://login.test'
  await using issuer = await createTestIssuer({ profile: 'entra', algorithm: 'ES256', listen: false, origin })
  const { clientSecret } = issuer.registerClient({ clientId, audience, scopes: ['receipts:read'] })
  const app = new ConfidentialClientApplication({
    auth: {
      clientId,
      clientSecret,
      authority: issuer.url.replace('/v2.0', ''),
      knownAuthorities: ['login.test'],
    },
    system: { networkClient: networkOf(issuer) },
  })
  const result = await app.acquireTokenByClientCredential({ scopes })
  t.match(await claimsOf(issuer, result?.accessToken), { roles: ['receipts:read'] })
  t.strictSame(
    [...issuer.requests].map(({ endpoint, status }) => [endpoint, status]),
    [
      ['discovery', 200],
      ['token', 200],
    ],
  )
})
