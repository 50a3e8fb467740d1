import {
  allowInsecureRequests,
  customFetch,
  discoveryRequest,
  processDiscoveryResponse,
  type AuthorizationServer,
} from 'oauth4webapi'
import { isTrustworthy } from '../trustworthy.js'
import type { TokenEndpointFetch } from './token-endpoint-fetch.js'
import { clip, TokenRequestFailure } from './token-request-failure.js'

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
  allowInsecureHttp: boolean,
): () => Promise<AuthorizationServer> {
  if (location.tokenEndpoint !== undefined) {
    const { tokenEndpoint, issuer = new URL(tokenEndpoint).origin } = location
    return async () => ({ issuer, token_endpoint: tokenEndpoint })
  }
  const { issuer } = location
  let asked: Promise<AuthorizationServer> | undefined
  return () => {
    asked ??= discover(new URL(issuer), send)
      .then(found => refuseUntrustworthy(found, allowInsecureHttp))
      .catch((error: unknown) => {
        asked = undefined
        throw error
      })
    return asked
  }
}

/** What the client proves itself with goes to these places; metadata must not move it to where anybody can read it. */
function refuseUntrustworthy(server: AuthorizationServer, allowInsecureHttp: boolean): AuthorizationServer {
  if (allowInsecureHttp) return server
  for (const endpoint of [server.token_endpoint, server.mtls_endpoint_aliases?.token_endpoint])
    if (endpoint !== undefined && !isTrustworthy(endpoint))
      throw new TokenRequestFailure(
        clip(`the metadata of ${server.issuer} names the token endpoint ${endpoint}, which is plain http`),
      )
  return server
}

async function discover(issuer: URL, send: TokenEndpointFetch): Promise<AuthorizationServer> {
  const ask = (algorithm: 'oidc' | 'oauth2'): Promise<Response> =>
    discoveryRequest(issuer, { algorithm, [customFetch]: send, [allowInsecureRequests]: true })
  const openid = await ask('oidc')
  if (openid.status !== 404) return processDiscoveryResponse(issuer, openid)
  await openid.body?.cancel()
  return processDiscoveryResponse(issuer, await ask('oauth2'))
}
