// simple-oauth2 gets the token and tells when it ends; the call is undici's.
import { ClientCredentials, type AccessToken } from 'simple-oauth2'
import { Agent, request } from 'undici'
import { serveClient } from './call-loop.js'

await serveClient(async ({ api, tokenEndpoint, clientId, clientSecret, resource, scope }) => {
  const { origin, pathname } = new URL(tokenEndpoint)
  const client = new ClientCredentials({
    client: { id: clientId, secret: clientSecret },
    auth: { tokenHost: origin, tokenPath: pathname },
  })
  const dispatcher = new Agent()
  let token: AccessToken | undefined
  return async () => {
    if (token === undefined || token.expired(5)) token = await client.getToken({ scope, resource })
    const headers = { authorization: `Bearer ${String(token.token['access_token'])}` }
    const { body } = await request(`${api}/orders`, { dispatcher, headers })
    return body.text()
  }
})
