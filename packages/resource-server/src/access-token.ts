import type { Role, Scope, TokenClaims } from './oauth-types.js'

/** A verified access token. On protected routes, `request.auth` has this type. The object and its claims are frozen. */
export interface AccessToken<S extends string = Scope, C = TokenClaims> {
  /** The issuer of the token: the claim `iss` (RFC 7519 §4.1.1). It is one of the configured issuers. */
  readonly issuer: string
  /**
   * The subject of the token: the claim `sub` (RFC 7519 §4.1.2). With the client credentials grant, the subject is the
   * client. Null if the token has no subject.
   */
  readonly subject: string | null
  /**
   * The client that requested the token: the claim `client_id` (RFC 9068 §2.2), or the corresponding claim in the
   * issuer's profile. Null if the token has no such claim.
   */
  readonly clientId: string | null
  /**
   * The audiences of the token (RFC 7519 §4.1.3) that are configured for its issuer. They are read from the claim
   * `aud`, or from the corresponding claim in the issuer's profile.
   */
  readonly audience: readonly string[]
  /** The scopes of the token (RFC 6749 §3.3), without duplicates. */
  readonly scopes: readonly S[]
  /** The roles or application permissions of the token, if the issuer's profile has a claim for them. */
  readonly roles: readonly Role[]
  /**
   * The user's groups (RFC 9068 §2.2.3.1), as names or ids, if the issuer's profile has a claim for them. If a group is
   * an object in the form of RFC 7643 §2.4, this list contains its member `value`. The list may be incomplete. For
   * example, Entra ID omits all groups if the user has more than 200.
   */
  readonly groups: readonly string[]
  /** When the token expires (the claim `exp`), in milliseconds since the epoch. */
  readonly expiresAt: number
  /** All claims of the token, unchanged. */
  readonly claims: C
}
