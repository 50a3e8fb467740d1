import { createTestIssuer } from 'oauth-test-issuer'
import { createTokenClient, TokenRejectedError } from 'fastify-token-client'
import t from 'tap'

// RFC 6749 §5.2: who authenticates by the Authorization header is refused with 401 and a challenge, and with the
// error in the body as always.
t.test('a wrong secret is a rejection for every authentication method', async t => {
  const audience = 'https://receipts.example.com'
  const issuer = await createTestIssuer({ audience, clients: [{ clientId: 'payment', audience }] })
  t.teardown(() => issuer.close())
  for (const clientAuthentication of ['client_secret_basic', 'client_secret_post'] as const) {
    const client = createTokenClient({
      baseUrl: audience,
      issuer: issuer.url,
      clientId: 'payment',
      clientSecret: 'not the secret',
      clientAuthentication,
    })
    t.teardown(() => client.close())
    const failure = await client.getToken().then(
      () => undefined,
      (error: unknown) => error,
    )
    t.ok(failure instanceof TokenRejectedError, `${clientAuthentication}: ${String(failure)}`)
    t.match(failure, { error: 'invalid_client', code: 'TOKEN_CLIENT_REJECTED' })
    t.notMatch(String(failure), 'not the secret')
  }
})
