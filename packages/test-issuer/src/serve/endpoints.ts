import type { Profile } from '../issue/profiles.js'

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

/** Path → endpoint: metadata by OpenID Connect Discovery 1.0 §4 and by RFC 8414 §3, the rest as the profile has it. */
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
