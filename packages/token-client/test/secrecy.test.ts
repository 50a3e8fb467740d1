import { inspect } from 'node:util'
import t from 'tap'
import type { TokenClient } from 'fastify-token-client'
import { json, startTokenEndpoint, type Behaviour } from './token-endpoint.js'
import { clientOf, failureOf, secret } from './standing-clock.js'

for (const status of [301, 302, 303, 307, 308])
  t.test(
    `a ${status} of the token endpoint is not followed, so no other server receives the secret`,
    async t => {
      const elsewhere = await startTokenEndpoint(t)
      const endpoint = await startTokenEndpoint(t, response =>
        response.writeHead(status, { location: elsewhere.url }).end(),
      )
      const { client } = clientOf(t, endpoint)
      t.match(await failureOf(client), { code: 'TOKEN_CLIENT_UNAVAILABLE' })
      t.equal(elsewhere.requests.length, 0)
    },
  )

t.test('no error contains a secret, a token or the whole response', async t => {
  const answers: Behaviour[] = [
    response => json(response, 401, { error: 'invalid_client' }),
    response => json(response, 200, { access_token: 'a-token-that-leaks', token_type: 'mac' }),
    response =>
      json(response, 200, { access_token: 'a-token-that-leaks', token_type: 'Bearer', expires_in: [] }),
    (_, request) => void request.socket.destroy(),
  ]
  for (const behave of answers) {
    const endpoint = await startTokenEndpoint(t, behave)
    const { client } = clientOf(t, endpoint)
    const failure = await client.getToken().catch((error: unknown) => error)
    if (!(failure instanceof Error)) continue
    const shown = inspect(failure, { depth: 20, showHidden: true }) + JSON.stringify(failure) + failure.stack
    t.notMatch(shown, new RegExp(`${secret}|${encodeURIComponent(secret)}|a-token-that-leaks`))
    t.notMatch(shown, Buffer.from(`payment:${secret}`).toString('base64'))
  }
})

t.test('no error contains a secret that the server repeats', async t => {
  const endpoint = await startTokenEndpoint(t, (response, request) =>
    json(response, 400, {
      error: 'invalid_request',
      error_description: `who are you? ${request.headers.authorization} ${endpoint.requests.at(-1)?.body}`,
    }),
  )
  const basic = Buffer.from(`payment:${secret.replaceAll(' ', '+')}`).toString('base64')
  for (const clientAuthentication of ['client_secret_basic', 'client_secret_post'] as const) {
    const failure = await failureOf(clientOf(t, endpoint, { clientAuthentication }).client)
    t.match(failure.detail, /who are you.*\[redacted\]/)
    t.notMatch(failure.detail?.replaceAll('+', ' '), secret)
    t.notMatch(failure.detail, basic)
  }
  const { client } = clientOf(t, endpoint)
  const failure = await failureOf(client.onBehalfOf('the-token-of-the-caller') as TokenClient)
  t.notMatch(failure.detail, 'the-token-of-the-caller')
})

t.test('a token prints as [redacted]', async t => {
  const endpoint = await startTokenEndpoint(t)
  const { client } = clientOf(t, endpoint)
  const token = await client.getToken()
  for (const printed of [
    inspect(token),
    JSON.stringify({ token }),
    String(token),
    inspect({ client }, { depth: 10 }),
  ])
    t.notMatch(printed, /token-1|the secret/)
  t.equal(JSON.stringify({ token }), '{"token":"[redacted]"}')
  t.equal(token.accessToken, 'token-1')
})
