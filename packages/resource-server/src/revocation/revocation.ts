/**
 * The tokens to revoke: a single token by its `jti`, or all tokens that have a given client, subject or signing key.
 */
export type RevocationTarget =
  | { readonly jti: string }
  | { readonly clientId: string }
  | { readonly subject: string }
  | { readonly keyId: string }

/** The duration of a revocation, and the issuer of the revoked tokens. Times are in milliseconds since the epoch. */
export interface RevocationTerms {
  /** When the revocation ends, at most one year from now. By then, all affected tokens should have expired. */
  readonly until: number
  /** The issuer of the tokens, exactly as in their `iss` claim. Optional if only one issuer is configured. */
  readonly issuer?: string
  /**
   * If set, only tokens issued before this time are revoked. For example, use it after rotating a client secret, so
   * that tokens issued after the rotation are accepted. Tokens without `iat`, and tokens issued up to
   * `clockToleranceMs` after this time, are revoked too. By default, tokens are revoked regardless of when they were
   * issued. Not allowed with `jti`, which identifies a single token.
   */
  readonly issuedBefore?: number
}

export const revokedBy = ['jti', 'clientId', 'subject', 'keyId'] as const

/** The name of the property that identifies the revoked tokens. */
export type RevokedBy = (typeof revokedBy)[number]

/** A validated revocation. Times are in milliseconds since the epoch. */
export interface Revocation {
  readonly issuer: string
  readonly by: RevokedBy
  readonly value: string
  readonly until: number
  /** If undefined, tokens are revoked regardless of when they were issued. */
  readonly issuedBefore: number | undefined
}

/**
 * Identifies the tokens to which a revocation applies. A new revocation replaces an earlier one for the same tokens.
 */
export type RevokedTokens = Pick<Revocation, 'issuer' | 'by' | 'value'>
