import { createHash, generateKeyPairSync, randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import { oauthProvider } from '@better-auth/oauth-provider'
import { betterAuth, type BetterAuthPlugin } from 'better-auth'
import { memoryAdapter } from 'better-auth/adapters/memory'
import { toNodeHandler } from 'better-auth/node'
import { jwt } from 'better-auth/plugins'
import t, { type Test } from 'tap'
import { listen } from 'test-support/listen'
import { audience, clientId, clientSecret, scope, startApi, startClient } from './service.js'

const keyClient = randomUUID()
const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const tables = [
  'user',
  'session',
  'account',
  'verification',
  'jwks',
  'oauthClient',
  'oauthRefreshToken',
  'oauthAccessToken',
  'oauthConsent',
  'oauthResource',
  'oauthClientResource',
  'oauthClientAssertion',
]

/** better-auth with its OAuth provider and a database in memory: one client with a secret, one with a key. */
async function startBetterAuth(t: Test) {
  const server = createServer()
  const baseURL = await listen(t, server)
  const database: Record<string, unknown[]> = Object.fromEntries(tables.map(name => [name, []]))
  const auth = betterAuth({
    baseURL,
    basePath: '/api/auth',
    secret: randomUUID() + randomUUID(),
    database: memoryAdapter(database as Parameters<typeof memoryAdapter>[0]),
    telemetry: { enabled: false },
    logger: { disabled: true },
    plugins: [
      jwt({ jwks: { keyPairConfig: { alg: 'ES256' } }, disableSettingJwtHeader: true }),
      // The two packages are typed for different releases of a third one.
      oauthProvider({
        loginPage: '/login',
        consentPage: '/consent',
        scopes: ['openid', scope],
        resources: [{ identifier: audience, name: 'receipts' }],
      }) as unknown as BetterAuthPlugin,
    ],
  })
  const { adapter } = await auth.$context
  const register = async (id: string, credentials: object): Promise<void> => {
    const data = {
      clientId: id,
      redirectUris: [],
      grantTypes: ['client_credentials'],
      clientCredentialsScopes: [scope],
      scopes: [scope],
      ...credentials,
    }
    await adapter.create({ model: 'oauthClient', data })
    await adapter.create({ model: 'oauthClientResource', data: { clientId: id, resourceId: audience } })
  }
  await register(clientId, {
    tokenEndpointAuthMethod: 'client_secret_basic',
    clientSecret: createHash('sha256').update(clientSecret).digest('base64url'),
  })
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'key', alg: 'ES256' }
  await register(keyClient, {
    tokenEndpointAuthMethod: 'private_key_jwt',
    jwks: JSON.stringify({ keys: [jwk] }),
  })
  const handle = toNodeHandler(auth)
  let isDown = false
  server.on('request', (request, response) => {
    if (isDown) request.socket.destroy()
    else void handle(request, response)
  })
  return {
    issuer: `${baseURL}/api/auth`,
    /** Removes the signing keys: the server makes a new one. */
    replaceKeys: () => void database['jwks']?.splice(0),
    setDown: (down: boolean) => (isDown = down),
  }
}

const secret = { clientSecret }
const key = { clientId: keyClient, privateKey, keyId: 'key' }

t.test('accepts signed tokens, requested with a secret and with a key', async t => {
  const { issuer } = await startBetterAuth(t)
  const api = await startApi(t, { issuer })
  for (const credentials of [secret, key])
    t.equal(await startClient(t, api.url, { issuer, resource: audience, ...credentials }).get(), 200)
  t.strictSame(api.refusals, [])
})

t.test('accepts opaque tokens, whose introspection response has no aud', async t => {
  const { issuer } = await startBetterAuth(t)
  const strict = await startApi(t, { issuer, introspection: { clientId, clientSecret } })
  t.equal(await startClient(t, strict.url, { issuer, ...secret }).get(), 401)
  t.match(strict.refusals[0], /^claim: .*introspection\.acceptWithout: \['aud'\]/)
  // To better-auth, the tokens of other clients than the one that asks are inactive.
  for (const credentials of [{ clientId, clientSecret }, key]) {
    const introspection = { ...credentials, acceptWithout: ['aud' as const] }
    const api = await startApi(t, { issuer, introspection })
    t.equal(await startClient(t, api.url, { issuer, ...credentials }).get(), 200)
    t.strictSame(api.refusals, [])
  }
})

t.test('reports a wrong secret as a rejection, with the reason of the server', async t => {
  const { issuer } = await startBetterAuth(t)
  const { client } = startClient(t, 'https://receipts.example.com', { issuer, clientSecret: 'wrong' })
  await t.rejects(client.getToken(), { code: 'TOKEN_CLIENT_REJECTED', error: 'invalid_client' } as never)
})

t.test('accepts tokens with a new key immediately, and refuses the replaced key', async t => {
  const { issuer, replaceKeys } = await startBetterAuth(t)
  const api = await startApi(t, { issuer })
  const before = startClient(t, api.url, { issuer, resource: audience, ...secret })
  t.equal(await before.get(), 200)
  replaceKeys()
  const after = startClient(t, api.url, { issuer, resource: audience, ...secret })
  t.equal(await after.get(), 200)
  t.equal(await before.get(), 200, 'a new token is requested when the API refuses the old one')
  t.match(api.refusals, [/^unknown_key/])
})

t.test('survives an outage with cached tokens and keys', async t => {
  const { issuer, setDown } = await startBetterAuth(t)
  const api = await startApi(t, { issuer })
  const { client, clock, get } = startClient(t, api.url, { issuer, resource: audience, ...secret })
  t.equal(await get(), 200)
  setDown(true)
  t.equal(await get(), 200)
  clock.ahead = 2 * 3_600_000
  await t.rejects(client.getToken(), { code: 'TOKEN_CLIENT_UNAVAILABLE' })
  setDown(false)
  clock.ahead += 60_000
  t.equal(await get(), 200)
})
