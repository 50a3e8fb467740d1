import type { AssertionAudience } from 'oauth-issuer-connection'

/** The format of token requests that an authorization server expects. */
export interface Profile {
  /**
   * The meaning of the option `resource`: the parameter `resource` (RFC 8707 §2), the parameter `audience`, or the
   * scope `<resource>/.default`. `unknown` means that the server has no such parameter, so setting `resource` is an
   * error.
   */
  readonly resource: 'resource' | 'audience' | 'default scope' | 'unknown'
  /** The audience of client assertions (RFC 7523 §3). */
  readonly assertionAudience: AssertionAudience
  /** The default algorithm for signing assertions with an RSA key that does not specify an algorithm. */
  readonly rsaAlgorithm: 'RS256' | 'PS256'
  /** The grant that `onBehalfOf` uses. */
  readonly onBehalfOf: OnBehalfOfGrant
}

/**
 * The grant for tokens on behalf of a caller: token exchange (RFC 8693), or the JWT bearer grant that Entra ID uses
 * (RFC 7523 §2.1).
 */
export type OnBehalfOfGrant = 'token_exchange' | 'jwt_bearer'

/** The name of a profile. */
export type ProfileName = 'rfc9068' | 'entra' | 'auth0' | 'keycloak' | 'okta' | 'cognito' | 'generic'

function profile(row: Omit<Profile, 'rsaAlgorithm'> & Partial<Profile>): Profile {
  return Object.freeze({ rsaAlgorithm: 'RS256', ...row })
}

/** The profiles by name. */
export const profiles: Readonly<Record<ProfileName, Profile>> = Object.freeze({
  /** The profile for servers that support RFC 8707, such as oidc-provider. */
  rfc9068: profile({ resource: 'resource', assertionAudience: 'issuer', onBehalfOf: 'token_exchange' }),
  /**
   * The profile for Microsoft Entra ID and Azure AD B2C, where the scope `<resource>/.default` requests all application
   * permissions.
   */
  entra: profile({
    resource: 'default scope',
    assertionAudience: 'token_endpoint',
    rsaAlgorithm: 'PS256',
    onBehalfOf: 'jwt_bearer',
  }),
  /** The profile for Auth0, where the parameter `audience` is the identifier of the API. */
  auth0: profile({ resource: 'audience', assertionAudience: 'issuer', onBehalfOf: 'token_exchange' }),
  /**
   * The profile for Keycloak, where an audience mapper of the client or of a client scope adds the API to the `aud`
   * claim.
   */
  keycloak: profile({ resource: 'unknown', assertionAudience: 'issuer', onBehalfOf: 'token_exchange' }),
  /** The profile for Okta, where a custom authorization server has one audience and scopes select the permissions. */
  okta: profile({ resource: 'unknown', assertionAudience: 'token_endpoint', onBehalfOf: 'token_exchange' }),
  /**
   * The profile for Amazon Cognito, where scopes have the form `<resource server>/<scope>` and tokens have no audience.
   */
  cognito: profile({ resource: 'unknown', assertionAudience: 'issuer', onBehalfOf: 'token_exchange' }),
  /** The profile for any other authorization server. It has the same values as `rfc9068`. */
  generic: profile({ resource: 'resource', assertionAudience: 'issuer', onBehalfOf: 'token_exchange' }),
})
