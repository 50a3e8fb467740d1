import type { Dialect } from '../issue/dialects.js'

/** What an issuer can be asked for. */
export type Endpoint = 'discovery' | 'jwks' | 'token' | 'introspection'

const endpointNames: readonly Endpoint[] = ['discovery', 'jwks', 'token', 'introspection']

/** @throws {TypeError} naming the endpoints that there are */
export function refuseUnknownEndpoint(where: string, endpoint: Endpoint): void {
  if (!endpointNames.includes(endpoint))
    throw new TypeError(
      `oauth-test-issuer: ${where} knows ${endpointNames.join(', ')}, not ${JSON.stringify(endpoint)}`,
    )
}

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
