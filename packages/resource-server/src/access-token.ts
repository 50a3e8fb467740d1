import type { Role, Scope, TokenClaims } from './oauth-types.js'

/**
 * A verified access token: what `request.auth` is on a protected route. Frozen, claims included.
 */
export interface AccessToken<S extends string = Scope, C = TokenClaims> {
  /** Who issued it: the `iss` claim (RFC 7519 §4.1.1), one of the configured issuers. */
  readonly issuer: string
  /** Whom it speaks for: the `sub` claim (RFC 7519 §4.1.2). With client credentials, the client itself. */
  readonly subject: string | null
  /** The client that asked for it: `client_id` (RFC 9068 §2.2), or the claim in which the issuer's profile has it. */
  readonly clientId: string | null
  /**
   * Which of this API's audiences it is for: those in its `aud` (RFC 7519 §4.1.3), or in the claim that stands for it in
   * the issuer's profile, that are configured for its issuer.
   */
  readonly audience: readonly string[]
  /** What it allows (RFC 6749 §3.3), each scope once as the issuer wrote it. */
  readonly scopes: readonly S[]
  /** Application permissions and roles, where the issuer's profile has a claim for them. */
  readonly roles: readonly Role[]
  /**
   * Groups of the user (RFC 9068 §2.2.3.1), where the issuer's profile has a claim for them: names or ids. Of a group as
   * RFC 7643 §2.4 has it, an object, its `value`. An issuer may leave some out (Entra ID, of more than 200).
   */
  readonly groups: readonly string[]
  /** When it ends: the `exp` claim, in milliseconds since the epoch. */
  readonly expiresAt: number
  /** Every claim as it stands in the token. */
  readonly claims: C
}
