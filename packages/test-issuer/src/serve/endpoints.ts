import type { Profile } from '../issue/profile.js'

/** An endpoint of the issuer. */
export type Endpoint = 'discovery' | 'jwks' | 'token' | 'introspection'

const endpointNames: readonly Endpoint[] = ['discovery', 'jwks', 'token', 'introspection']

/** @throws {TypeError} if the endpoint is unknown */
export function refuseUnknownEndpoint(where: string, endpoint: Endpoint): void {
  if (!endpointNames.includes(endpoint))
    throw new TypeError(
      `oauth-test-issuer: ${where} does not support the endpoint ${JSON.stringify(endpoint)}; expected one of ${endpointNames.join(', ')}`,
    )
}

/**
 * Maps paths to endpoints. The metadata paths follow OpenID Connect Discovery 1.0 §4 and RFC 8414 §3. The profile defines the
 * other paths.
 */
export function endpointsOf(profile: Profile): ReadonlyMap<string, Endpoint> {
  const issuerPath = profile.issuerPath.replace(/\/$/, '')
  return new Map<string, Endpoint>([
    [`${issuerPath}/.well-known/openid-configuration`, 'discovery'],
    [`/.well-known/oauth-authorization-server${issuerPath}`, 'discovery'],
    [profile.jwksPath, 'jwks'],
    [profile.tokenPath, 'token'],
    [profile.introspectionPath, 'introspection'],
  ])
}

/** The issuer identifier and the URLs of the endpoints. */
export interface IssuerUrls {
  readonly issuer: string
  readonly jwksUri: string
  readonly authorizationEndpoint: string
  readonly tokenEndpoint: string
  readonly introspectionEndpoint: string
}

export function urlsOf(origin: string, profile: Profile): IssuerUrls {
  return {
    issuer: `${origin}${profile.issuerPath}`,
    jwksUri: `${origin}${profile.jwksPath}`,
    authorizationEndpoint: `${origin}${profile.authorizationPath}`,
    tokenEndpoint: `${origin}${profile.tokenPath}`,
    introspectionEndpoint: `${origin}${profile.introspectionPath}`,
  }
}
