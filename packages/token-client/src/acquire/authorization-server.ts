import {
  allowInsecureRequests,
  customFetch,
  discoveryRequest,
  processDiscoveryResponse,
  type AuthorizationServer,
} from 'oauth4webapi'
import type { TokenEndpointFetch } from './token-endpoint-fetch.js'

/** Where the token endpoint is: given, or found in the issuer's metadata. */
export type ServerLocation =
  | { readonly issuer: string; readonly tokenEndpoint: undefined }
  | { readonly issuer: string | undefined; readonly tokenEndpoint: string }

/**
 * The authorization server's metadata, asked for once (OpenID Connect Discovery 1.0 §4, else RFC 8414 §3); the answer
 * has to name the issuer (RFC 8414 §3.3). A failure is not kept.
 */
export function locateServer(
  location: ServerLocation,
  send: TokenEndpointFetch,
): () => Promise<AuthorizationServer> {
  if (location.tokenEndpoint !== undefined) {
    const { tokenEndpoint, issuer = new URL(tokenEndpoint).origin } = location
    return async () => ({ issuer, token_endpoint: tokenEndpoint })
  }
  const { issuer } = location
  let found: AuthorizationServer | undefined
  return async () => (found ??= await discover(new URL(issuer), send))
}

async function discover(issuer: URL, send: TokenEndpointFetch): Promise<AuthorizationServer> {
  const ask = (algorithm: 'oidc' | 'oauth2'): Promise<Response> =>
    discoveryRequest(issuer, { algorithm, [customFetch]: send, [allowInsecureRequests]: true })
  const openid = await ask('oidc')
  if (openid.status !== 404) return processDiscoveryResponse(issuer, openid)
  await openid.body?.cancel()
  return processDiscoveryResponse(issuer, await ask('oauth2'))
}
