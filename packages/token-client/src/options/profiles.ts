import type { AssertionAudience } from 'oauth-issuer-connection'

/** How an authorization server wants to be asked. */
export interface Profile {
  /**
   * What becomes of the option `resource`: the parameter `resource` (RFC 8707 §2), the parameter `audience`, the scope
   * `<resource>/.default`, or an error, since the server has no parameter for it.
   */
  readonly resource: 'resource' | 'audience' | 'default scope' | 'unknown'
  /** Whom client assertions are for (RFC 7523 §3). */
  readonly assertionAudience: AssertionAudience
  /** What an RSA key signs them with that says nothing of it itself. */
  readonly rsaAlgorithm: 'RS256' | 'PS256'
  /** The grant for calls on behalf of the incoming request's token. */
  readonly onBehalfOf: OnBehalfOfGrant
}

/** Token exchange (RFC 8693), or a JWT as authorization grant (RFC 7523 §2.1) as Entra ID has it. */
export type OnBehalfOfGrant = 'token_exchange' | 'jwt_bearer'

/** An authorization server that `profile` knows. */
export type ProfileName = 'rfc9068' | 'entra' | 'auth0' | 'keycloak' | 'okta' | 'cognito' | 'generic'

function profile(row: Omit<Profile, 'rsaAlgorithm'> & Partial<Profile>): Profile {
  return Object.freeze({ rsaAlgorithm: 'RS256', ...row })
}

/** Authorization server → how it wants to be asked. A row is all that a new one needs. */
export const profiles: Readonly<Record<ProfileName, Profile>> = Object.freeze({
  /** RFC 8707, as oidc-provider and others have it. */
  rfc9068: profile({ resource: 'resource', assertionAudience: 'issuer', onBehalfOf: 'token_exchange' }),
  /** Microsoft Entra ID and Azure AD B2C: application permissions come with `/.default`, and with nothing else. */
  entra: profile({
    resource: 'default scope',
    assertionAudience: 'token_endpoint',
    rsaAlgorithm: 'PS256',
    onBehalfOf: 'jwt_bearer',
  }),
  /** Auth0: the API's identifier is the `audience`. */
  auth0: profile({ resource: 'audience', assertionAudience: 'issuer', onBehalfOf: 'token_exchange' }),
  /** Keycloak: an audience mapper of the client or of a client scope puts the API into `aud`. */
  keycloak: profile({ resource: 'unknown', assertionAudience: 'issuer', onBehalfOf: 'token_exchange' }),
  /** Okta: the custom authorization server has one audience; scopes choose what is allowed. */
  okta: profile({ resource: 'unknown', assertionAudience: 'token_endpoint', onBehalfOf: 'token_exchange' }),
  /** Amazon Cognito: scopes are `<resource server>/<scope>`; there is no audience. */
  cognito: profile({ resource: 'unknown', assertionAudience: 'issuer', onBehalfOf: 'token_exchange' }),
  /** Any other authorization server: as `rfc9068`. */
  generic: profile({ resource: 'resource', assertionAudience: 'issuer', onBehalfOf: 'token_exchange' }),
})
