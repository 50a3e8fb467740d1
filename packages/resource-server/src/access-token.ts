import type { Role, Scope, TokenClaims } from './oauth-types.js'

/** A verified access token. On protected routes, `request.auth` has this type. The object and its claims are frozen. */
export interface AccessToken<S extends string = Scope, C = TokenClaims> {
  /** The issuer of the token: the claim `iss` (RFC 7519 §4.1.1). It is one of the configured issuers. */
  readonly issuer: string
  /**
   * The subject of the token: the claim `sub` (RFC 7519 §4.1.2). With client credentials, the subject is the client.
   */
  readonly subject: string | null
  /**
   * The client that requested the token: `client_id` (RFC 9068 §2.2), or the corresponding claim of the issuer's
   * profile.
   */
  readonly clientId: string | null
  /**
   * The audiences of the token (RFC 7519 §4.1.3) that are configured for its issuer. They are read from `aud`, or from
   * the corresponding claim of the issuer's profile.
   */
  readonly audience: readonly string[]
  /** The scopes of the token (RFC 6749 §3.3), without duplicates. */
  readonly scopes: readonly S[]
  /** The roles or application permissions of the token, if the issuer's profile has a claim for them. */
  readonly roles: readonly Role[]
  /**
   * The groups of the user (RFC 9068 §2.2.3.1), as names or ids, if the issuer's profile has a claim for them. For a
   * group in the form of RFC 7643 §2.4, the member `value`. The list may be incomplete: Entra ID omits the groups of a
   * user with more than 200.
   */
  readonly groups: readonly string[]
  /** When the token expires (the claim `exp`), in milliseconds since the epoch. */
  readonly expiresAt: number
  /** All claims of the token, unchanged. */
  readonly claims: C
}
