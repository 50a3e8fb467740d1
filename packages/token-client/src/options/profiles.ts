import type { AssertionAudience } from 'oauth-issuer-connection'

/** The format of token requests that an authorization server expects. */
export interface Profile {
  /**
   * The meaning of the option `resource`: the parameter `resource` (RFC 8707 §2), the parameter `audience`, or the
   * scope `<resource>/.default`. `unknown` means that the server has no such parameter, so `resource` is an error.
   */
  readonly resource: 'resource' | 'audience' | 'default scope' | 'unknown'
  /** The audience of client assertions (RFC 7523 §3). */
  readonly assertionAudience: AssertionAudience
  /** The algorithm of assertions with an RSA key that specifies none. */
  readonly rsaAlgorithm: 'RS256' | 'PS256'
  /** The grant that `onBehalfOf` uses. */
  readonly onBehalfOf: OnBehalfOfGrant
}

/** Token exchange (RFC 8693), or a JWT as authorization grant (RFC 7523 §2.1), which Entra ID uses. */
export type OnBehalfOfGrant = 'token_exchange' | 'jwt_bearer'

/** The name of a profile. */
export type ProfileName = 'rfc9068' | 'entra' | 'auth0' | 'keycloak' | 'okta' | 'cognito' | 'generic'

function profile(row: Omit<Profile, 'rsaAlgorithm'> & Partial<Profile>): Profile {
  return Object.freeze({ rsaAlgorithm: 'RS256', ...row })
}

/** The profiles by name. */
export const profiles: Readonly<Record<ProfileName, Profile>> = Object.freeze({
  /** Servers that support RFC 8707, such as oidc-provider. */
  rfc9068: profile({ resource: 'resource', assertionAudience: 'issuer', onBehalfOf: 'token_exchange' }),
  /** Microsoft Entra ID and Azure AD B2C: the scope `/.default` requests all application permissions. */
  entra: profile({
    resource: 'default scope',
    assertionAudience: 'token_endpoint',
    rsaAlgorithm: 'PS256',
    onBehalfOf: 'jwt_bearer',
  }),
  /** Auth0: the identifier of the API is the `audience`. */
  auth0: profile({ resource: 'audience', assertionAudience: 'issuer', onBehalfOf: 'token_exchange' }),
  /** Keycloak: an audience mapper of the client or of a client scope adds the API to `aud`. */
  keycloak: profile({ resource: 'unknown', assertionAudience: 'issuer', onBehalfOf: 'token_exchange' }),
  /** Okta: a custom authorization server has one audience. Scopes select the permissions. */
  okta: profile({ resource: 'unknown', assertionAudience: 'token_endpoint', onBehalfOf: 'token_exchange' }),
  /** Amazon Cognito: scopes have the form `<resource server>/<scope>`, and tokens have no audience. */
  cognito: profile({ resource: 'unknown', assertionAudience: 'issuer', onBehalfOf: 'token_exchange' }),
  /** Any other authorization server, with the values of `rfc9068`. */
  generic: profile({ resource: 'resource', assertionAudience: 'issuer', onBehalfOf: 'token_exchange' }),
})
