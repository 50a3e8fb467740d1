import type { AuthorizationServer } from 'oauth4webapi'
import {
  discoverMetadata,
  endpointIn,
  type IssuerConnection,
  type IssuerMetadata,
} from 'oauth-issuer-connection'
import type { ServerLocation } from '../options/connection-options.js'
import { singleFlight } from './single-flight.js'

/** How metadata is requested. */
interface Discovery {
  readonly connection: Pick<IssuerConnection, 'exchange'>
  readonly allowInsecureHttp: boolean
  readonly now: () => number
}

/**
 * The age in milliseconds at which cached metadata is renewed in the background. Until the renewal is complete, the
 * cached metadata is used, because endpoints rarely change.
 */
const freshMs = 3_600_000

/**
 * Returns a function that fetches and caches the metadata of the authorization server. Concurrent calls share one
 * request, and failures are not cached.
 * @throws {IssuerConnectionError} if there is no usable metadata
 */
export function locateServer(
  location: ServerLocation,
  { connection, allowInsecureHttp, now }: Discovery,
): () => Promise<AuthorizationServer> {
  if (location.tokenEndpoint !== undefined) {
    const { tokenEndpoint, issuer = new URL(tokenEndpoint).origin } = location
    return async () => ({ issuer, token_endpoint: tokenEndpoint })
  }
  const { issuer, metadataUrl } = location
  let found: { readonly server: AuthorizationServer; readonly at: number } | undefined
  const discover = singleFlight(async () => {
    const metadata = await discoverMetadata(issuer, metadataUrl, connection.exchange())
    const server = serverOf(metadata, allowInsecureHttp)
    found = { server, at: now() }
    return server
  })
  return () => {
    if (found === undefined) return discover()
    if (now() - found.at >= freshMs) discover().catch(() => {}) // If the renewal fails, the cached metadata remains in use.
    return Promise.resolve(found.server)
  }
}

/** Validates the endpoint URLs in the metadata, because the client sends credentials to these URLs. */
function serverOf(metadata: IssuerMetadata, allowInsecureHttp: boolean): AuthorizationServer {
  const algorithms = metadata['token_endpoint_auth_signing_alg_values_supported']
  const alias = mtlsTokenEndpoint(metadata, allowInsecureHttp)
  return {
    issuer: metadata.issuer,
    token_endpoint: endpointIn(metadata, 'token_endpoint', allowInsecureHttp),
    ...(Array.isArray(algorithms) ? { token_endpoint_auth_signing_alg_values_supported: algorithms } : {}),
    ...(alias === undefined ? {} : { mtls_endpoint_aliases: { token_endpoint: alias } }),
  }
}

/** RFC 8705 §5. */
function mtlsTokenEndpoint(metadata: IssuerMetadata, allowInsecureHttp: boolean): string | undefined {
  const { mtls_endpoint_aliases: aliases, issuer } = metadata
  if (typeof aliases !== 'object' || aliases === null || !('token_endpoint' in aliases)) return undefined
  return endpointIn({ ...aliases, issuer }, 'token_endpoint', allowInsecureHttp)
}
