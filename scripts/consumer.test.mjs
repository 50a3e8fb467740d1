// A user's test. scripts/consumers.mjs prepends the import of `test`. If OPEN is set, a route is unprotected.
import fastify from 'fastify'
import resourceServer from 'fastify-resource-server'
import { createTestIssuer, expectProtected } from 'oauth-test-issuer'

test('routes are protected', async () => {
  const audience = 'https://receipts.example.com'
  const issuer = await createTestIssuer({ audience })
  const app = fastify()
  try {
    await app.register(resourceServer, { issuer: issuer.url, audience })
    app.get('/receipts', { config: { oauth: { scopes: ['receipts:read'] } } }, async () => [])
    app.get('/open', { config: { oauth: process.env.OPEN === undefined ? {} : false } }, async () => [])
    const routes = [{ url: '/receipts', scopes: ['receipts:read'] }, { url: '/open' }]
    await expectProtected(app, { issuer, routes })
  } finally {
    await app.close()
    await issuer.close()
  }
})
