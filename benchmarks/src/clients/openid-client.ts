// openid-client, with the token kept by the application until it ends, as its documentation leaves it to do.
import {
  allowInsecureRequests,
  clientCredentialsGrant,
  discovery,
  fetchProtectedResource,
} from 'openid-client'
import { serveClient } from './call-loop.js'

await serveClient(async ({ api, issuer, clientId, clientSecret, resource, scope }) => {
  const server = await discovery(new URL(issuer), clientId, clientSecret, undefined, {
    // The issuer of this measurement is on loopback.
    execute: [allowInsecureRequests],
  })
  const url = new URL(`${api}/orders`)
  let token: { accessToken: string; until: number } | undefined
  return async () => {
    if (token === undefined || Date.now() > token.until) {
      const { access_token: accessToken, expires_in: seconds = 60 } = await clientCredentialsGrant(server, {
        resource,
        scope,
      })
      token = { accessToken, until: Date.now() + seconds * 900 }
    }
    const response = await fetchProtectedResource(server, token.accessToken, url, 'GET')
    return response.text()
  }
})
