import {
  allowInsecureRequests,
  customFetch,
  discoveryRequest,
  processDiscoveryResponse,
  type AuthorizationServer,
} from 'oauth4webapi'
import { isTrustworthyUrl } from 'declared-options'
import { singleFlight } from './single-flight.js'
import type { TokenEndpointFetch } from './token-endpoint-fetch.js'
import { clip, TokenRequestFailure } from './token-request-failure.js'

/** Where the token endpoint is: given, or found in the issuer's metadata. */
export type ServerLocation =
  | { readonly issuer: string; readonly metadataUrl: string | undefined; readonly tokenEndpoint: undefined }
  | { readonly issuer: string | undefined; readonly tokenEndpoint: string }

/** How metadata is asked for. */
interface Discovery {
  readonly send: TokenEndpointFetch
  readonly allowInsecureHttp: boolean
  readonly now: () => number
}

/** Older metadata is still used, and renewed behind: endpoints move now and then, and no call waits for that. */
const freshMs = 3_600_000

/**
 * The authorization server's metadata (OpenID Connect Discovery 1.0 §4, else RFC 8414 §3), asked for by one request
 * however many wait; the answer has to name the issuer (RFC 8414 §3.3). A failure is not kept.
 */
export function locateServer(
  location: ServerLocation,
  { send, allowInsecureHttp, now }: Discovery,
): () => Promise<AuthorizationServer> {
  if (location.tokenEndpoint !== undefined) {
    const { tokenEndpoint, issuer = new URL(tokenEndpoint).origin } = location
    return async () => ({ issuer, token_endpoint: tokenEndpoint })
  }
  const issuer = new URL(location.issuer)
  let found: { readonly server: AuthorizationServer; readonly at: number } | undefined
  const ask = singleFlight(async () => {
    const server = refuseUntrustworthy(await discover(issuer, location.metadataUrl, send), allowInsecureHttp)
    found = { server, at: now() }
    return server
  })
  return () => {
    if (found === undefined) return ask()
    if (now() - found.at >= freshMs) ask().catch(() => {}) // what was found goes on
    return Promise.resolve(found.server)
  }
}

/** What the client proves itself with goes to these places; metadata must not move it to where anybody can read it. */
function refuseUntrustworthy(server: AuthorizationServer, allowInsecureHttp: boolean): AuthorizationServer {
  if (allowInsecureHttp) return server
  for (const endpoint of [server.token_endpoint, server.mtls_endpoint_aliases?.token_endpoint])
    if (endpoint !== undefined && !isTrustworthyUrl(endpoint, false))
      throw new TokenRequestFailure(
        clip(`the metadata of ${server.issuer} names the token endpoint ${endpoint}, which is plain http`),
      )
  return server
}

async function discover(
  issuer: URL,
  metadataUrl: string | undefined,
  send: TokenEndpointFetch,
): Promise<AuthorizationServer> {
  const ask = (algorithm: 'oidc' | 'oauth2'): Promise<Response> =>
    discoveryRequest(issuer, { algorithm, [customFetch]: send, [allowInsecureRequests]: true })
  if (metadataUrl !== undefined)
    return processDiscoveryResponse(
      issuer,
      await send(metadataUrl, { headers: { accept: 'application/json' } }),
    )
  const openid = await ask('oidc')
  if (openid.status !== 404) return processDiscoveryResponse(issuer, openid)
  await openid.body?.cancel()
  return processDiscoveryResponse(issuer, await ask('oauth2'))
}
