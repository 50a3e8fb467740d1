import type { Profile } from '../issue/profile.js'

/** An endpoint of the issuer. */
export type Endpoint = 'discovery' | 'jwks' | 'token' | 'introspection'

const endpointNames: readonly Endpoint[] = ['discovery', 'jwks', 'token', 'introspection']

/** @throws {TypeError} listing the endpoints */
export function refuseUnknownEndpoint(where: string, endpoint: Endpoint): void {
  if (!endpointNames.includes(endpoint))
    throw new TypeError(
      `oauth-test-issuer: ${where} does not know the endpoint ${JSON.stringify(endpoint)}; expected one of ${endpointNames.join(', ')}`,
    )
}

/** Path → endpoint: metadata by OpenID Connect Discovery 1.0 §4 and by RFC 8414 §3, the rest by profile. */
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

/** The issuer identifier and the endpoints' URLs. */
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
