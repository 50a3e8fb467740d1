// A user's program for a bundler, also as CommonJS: a protected API and its client, which load undici in each way.
import fastify from 'fastify'
import resourceServer from 'fastify-resource-server'
import tokenClient, { type TokenClient } from 'fastify-token-client'
import { createTestIssuer } from 'oauth-test-issuer'

declare module 'fastify' {
  interface FastifyInstance {
    receipts: TokenClient
  }
}

const audience = 'https://receipts.example.com'
const client = { clientId: 'payment', clientSecret: 'only-for-this-run', scopes: ['receipts:read'] }

async function main(): Promise<void> {
  const issuer = await createTestIssuer({ clients: [{ ...client, audience }] })
  const api = fastify()
  await api.register(resourceServer, { issuer: issuer.url, audience, scopes: ['receipts:read'] })
  api.get('/receipts', { config: { oauth: { scopes: ['receipts:read'] } } }, () => 'a receipt')
  const baseUrl = await api.listen({ host: '127.0.0.1', port: 0 })

  const caller = fastify()
  const options = { ...client, name: 'receipts', baseUrl, issuer: issuer.url, resource: audience }
  await caller.register(tokenClient, { ...options, interceptors: { retry: true } })
  const answers = [
    await caller.receipts.request({ path: '/receipts' }).then(({ statusCode }) => statusCode),
    await caller.receipts.fetch('/receipts').then(({ status }) => status),
    await api.inject('/receipts').then(({ statusCode }) => statusCode),
  ]
  console.log(answers.join(' '))
  for (const server of [caller, api, issuer]) await server.close()
}

void main()
