import { createTokenClient } from 'fastify-token-client'
import { serveClient } from './call-loop.js'

await serveClient(async ({ api, tokenEndpoint, clientId, clientSecret, resource, scope }) => {
  const client = createTokenClient({
    baseUrl: api,
    tokenEndpoint,
    clientId,
    clientSecret,
    resource,
    scopes: [scope],
  })
  return async () => {
    const { body } = await client.request({ path: '/orders' })
    return body.text()
  }
})
