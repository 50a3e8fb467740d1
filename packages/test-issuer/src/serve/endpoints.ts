import type { Dialect } from '../issue/dialects.js'

/** What an issuer can be asked for. */
export type Endpoint = 'discovery' | 'jwks' | 'token' | 'introspection'

export const endpointNames: readonly Endpoint[] = ['discovery', 'jwks', 'token', 'introspection']

/** Path → endpoint: metadata by OpenID Connect Discovery 1.0 §4 and by RFC 8414 §3, the rest as the dialect has it. */
export function endpointsOf(dialect: Dialect): ReadonlyMap<string, Endpoint> {
  const issuerPath = dialect.issuerPath.replace(/\/$/, '')
  return new Map<string, Endpoint>([
    [`${issuerPath}/.well-known/openid-configuration`, 'discovery'],
    [`/.well-known/oauth-authorization-server${issuerPath}`, 'discovery'],
    [dialect.jwksPath, 'jwks'],
    [dialect.tokenPath, 'token'],
    [dialect.introspectionPath, 'introspection'],
  ])
}
