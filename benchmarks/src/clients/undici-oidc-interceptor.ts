import { Agent, request } from 'undici'
import { createOidcInterceptor } from 'undici-oidc-interceptor'
import { serveClient } from './call-loop.js'

await serveClient(async ({ api, tokenEndpoint, clientId, clientSecret, scope, resource }) => {
  const interceptor = createOidcInterceptor({
    clientId,
    clientSecret,
    scope,
    resource,
    idpTokenUrl: tokenEndpoint,
    retryOnStatusCodes: [401],
    urls: [api],
  })
  const dispatcher = new Agent().compose(interceptor)
  return async () => {
    const { body } = await request(`${api}/orders`, { dispatcher })
    return body.text()
  }
})
