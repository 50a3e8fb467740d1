// Behaviour in which other clients differ, as seen in their released versions in November 2026 (README.md, Compared).
import type { IncomingMessage, ServerResponse } from 'node:http'
import t from 'tap'
import type { TokenStore } from 'fastify-token-client'
import { clientOf, clientSecret, startApi } from './calling.js'
import { startTokenEndpoint, tokens } from './token-endpoint.js'

/** Says which token it was sent. */
const telling = (request: IncomingMessage, response: ServerResponse): void => {
  if (request.url === '/refused') response.statusCode = 401
  response.end(request.headers.authorization)
}

// MSAL Node makes one for each call.
t.test('five concurrent calls cause one token request', async t => {
  const endpoint = await startTokenEndpoint(t)
  const api = await startApi(t, telling)
  const client = clientOf(t, endpoint, api.url)
  await Promise.all(Array.from({ length: 5 }, () => client.request({ path: '/' })))
  t.equal(endpoint.requests.length, 1)
})

// MSAL Node fails such a call with a network error.
t.test('calls with a valid token are sent while the token endpoint is unreachable', async t => {
  const endpoint = await startTokenEndpoint(t)
  const api = await startApi(t, telling)
  let now = Date.now()
  const client = clientOf(t, endpoint, api.url, { clock: () => now })
  const { accessToken, useUntil, expiresAt } = await client.getToken()
  endpoint.behave = (_, request) => void request.socket.destroy()
  // Behind a call; in front of one; and while nobody asks because of the last failure.
  for (const time of [useUntil - 1, useUntil, expiresAt - 1]) {
    now = time
    t.equal(await (await client.request({ path: '/' })).body.text(), `Bearer ${accessToken}`)
  }
})

// undici-oidc-interceptor retries without one.
t.test('each attempt is sent with a token', async t => {
  const endpoint = await startTokenEndpoint(t)
  const api = await startApi(t, telling)
  const client = clientOf(t, endpoint, api.url, { interceptors: { retry: { minTimeout: 1 } } })
  t.equal((await client.request({ path: '/refused' })).statusCode, 401)
  t.strictSame(
    api.seen.map(({ authorization }) => authorization),
    ['Bearer token-1', 'Bearer token-2'],
  )
})

// undici-oidc-interceptor gives them a token of other scopes.
t.test('concurrent callers get tokens with their own scopes', async t => {
  const endpoint = await startTokenEndpoint(t, response => {
    const scope = new URLSearchParams(endpoint.requests.at(-1)?.body).get('scope')
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ access_token: `for-${scope}`, token_type: 'Bearer', expires_in: 60 }))
  })
  const api = await startApi(t, telling)
  const client = clientOf(t, endpoint, api.url)
  const scopes = Array.from({ length: 60 }, (_, index) => `scope-${index % 6}`)
  const sent = await Promise.all(
    scopes.map(async scope => (await client.with({ scopes: [scope] }).request({ path: '/' })).body.text()),
  )
  t.strictSame(
    sent,
    scopes.map(scope => `Bearer for-${scope}`),
  )
  t.equal(endpoint.requests.length, 6)
})

// undici-oidc-interceptor puts the client secret into it.
t.test('the key in the shared store contains no secret', async t => {
  const endpoint = await startTokenEndpoint(t)
  const written: string[] = []
  const note = async (...what: unknown[]): Promise<void> => void written.push(JSON.stringify(what))
  const store: TokenStore = {
    async get(key) {
      await note(key)
      return undefined
    },
    set: note,
    lock: async (...what) => note(what).then(() => true),
    unlock: note,
  }
  const encryptionKeys = [Buffer.alloc(32, 1).toString('base64')]
  const client = clientOf(t, endpoint, 'https://receipts.example.com', {
    tokenStore: { store, encryptionKeys },
  })
  const { accessToken } = await client.getToken()
  t.equal(written.length, 5, 'looked, locked, looked, wrote, unlocked')
  for (const text of [clientSecret, encodeURIComponent(clientSecret), accessToken])
    t.notOk(written.join('\n').includes(text))
})

// Duende sends it without one.
t.test('a call without a token is not sent', async t => {
  const endpoint = await startTokenEndpoint(t, response => void response.writeHead(500).end())
  const api = await startApi(t, telling)
  const client = clientOf(t, endpoint, api.url)
  const unavailable = { code: 'TOKEN_CLIENT_UNAVAILABLE' }
  await t.rejects(client.request({ path: '/' }), unavailable)
  await t.rejects(client.fetch('/'), unavailable)
  await t.rejects(client.get('/'), unavailable)
  t.equal(api.seen.length, 0)
})

// golang/oauth2 sends it there.
t.test('the token is not sent after a redirect to another host', async t => {
  const endpoint = await startTokenEndpoint(t)
  const elsewhere = await startApi(t, telling)
  const api = await startApi(t, (_, response) => response.writeHead(307, { location: elsewhere.url }).end())
  const client = clientOf(t, endpoint, api.url, { interceptors: { redirect: { maxRedirections: 5 } } })
  await t.rejects(client.request({ path: '/' }), { code: 'TOKEN_CLIENT_ORIGIN_NOT_ALLOWED' })
  await t.rejects(client.fetch('/'))
  t.equal(elsewhere.seen.length, 0)
})

// Other clients follow it.
t.test('a 307 of the token endpoint is not followed', async t => {
  const elsewhere = await startTokenEndpoint(t, tokens())
  const endpoint = await startTokenEndpoint(t, response =>
    response.writeHead(307, { location: elsewhere.url }).end(),
  )
  for (const clientAuthentication of ['client_secret_basic', 'client_secret_post'] as const)
    await t.rejects(
      clientOf(t, endpoint, 'https://receipts.example.com', { clientAuthentication }).getToken(),
      { code: 'TOKEN_CLIENT_UNAVAILABLE', detail: /responded with 307/ },
    )
  t.equal(elsewhere.requests.length, 0)
})
