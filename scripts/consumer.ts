// A user's program: a protected API, its client, and an issuer, all from the installed packages.
import fastify from 'fastify'
import resourceServer from 'fastify-resource-server'
import tokenClient from 'fastify-token-client'
import { createTestIssuer } from 'oauth-test-issuer'

const audience = 'https://receipts.example.com'
const issuer = await createTestIssuer({
  clients: [
    {
      clientId: 'payment',
      clientSecret: 'only-for-this-run',
      audience,
      scopes: ['receipts:read'],
    },
  ],
})

const api = fastify()
await api.register(resourceServer, { issuer: issuer.url, audience, scopes: ['receipts:read'] })
api.get('/receipts', { config: { oauth: { scopes: ['receipts:read'] } } }, async request => ({
  for: request.auth.clientId,
}))
/** Compiles only if the compiler rejects it: other libraries call it `scope`. */
export function misspelt(): void {
  // @ts-expect-error -- it is `scopes`
  api.get('/misspelt', { config: { oauth: { scope: ['receipts:read'] } } }, async () => '')
}
const baseUrl = await api.listen({ host: '127.0.0.1', port: 0 })

const caller = fastify()
await caller.register(tokenClient, {
  name: 'receipts',
  baseUrl,
  issuer: issuer.url,
  clientId: 'payment',
  clientSecret: 'only-for-this-run',
  scopes: ['receipts:read'],
  resource: audience,
})
await caller.ready()

declare module 'fastify' {
  interface FastifyInstance {
    receipts: import('fastify-token-client').TokenClient
  }
}

const { statusCode, body } = await caller.receipts.request({ method: 'GET', path: '/receipts' })
const answer = (await body.json()) as { for: string }
if (statusCode !== 200 || answer.for !== 'payment') throw new Error(`${statusCode} ${JSON.stringify(answer)}`)
const refused = await api.inject('/receipts')
if (refused.statusCode !== 401) throw new Error(`without a token: ${refused.statusCode}`)

await caller.close()
await api.close()
await issuer.close()
