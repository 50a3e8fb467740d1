import type { Role, Scope, TokenClaims } from './oauth-types.js'

/** A verified access token, available as `request.auth` on protected routes. The object and its claims are frozen. */
export interface AccessToken<S extends string = Scope, C = TokenClaims> {
  /** The issuer of the token, from the claim `iss` (RFC 7519 §4.1.1). It is always one of the configured issuers. */
  readonly issuer: string
  /**
   * The subject of the token, from the claim `sub` (RFC 7519 §4.1.2), or null if the token has none. In tokens from the
   * client credentials grant, the subject is the client.
   */
  readonly subject: string | null
  /**
   * The client that requested the token, from the claim `client_id` (RFC 9068 §2.2) or from the claim that the issuer's
   * profile uses instead. It is null if the token has no such claim.
   */
  readonly clientId: string | null
  /**
   * The token's audiences (RFC 7519 §4.1.3), limited to the audiences that are configured for its issuer. They come
   * from the claim `aud`, or from the claim that the issuer's profile uses instead.
   */
  readonly audience: readonly string[]
  /** The scopes of the token (RFC 6749 §3.3), without duplicates. */
  readonly scopes: readonly S[]
  /**
   * The token's roles or application permissions. The list is empty if the token has none, or if the issuer's profile
   * names no claim that contains roles.
   */
  readonly roles: readonly Role[]
  /**
   * The user's groups (RFC 9068 §2.2.3.1), as names or ids. A group that is an object (RFC 7643 §2.4) is represented by
   * its `value`. The list is empty if the issuer's profile names no claim that contains groups. The list can be
   * incomplete: Entra ID, for example, omits all groups if the user has more than 200.
   */
  readonly groups: readonly string[]
  /** When the token expires (claim `exp`), in milliseconds since the epoch. */
  readonly expiresAt: number
  /** All claims of the token, unchanged. */
  readonly claims: C
}
