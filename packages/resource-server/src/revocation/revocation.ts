/** The tokens to revoke: one token by its `jti`, or all tokens of a client or subject, or with a signing key. */
export type RevocationTarget =
  | { readonly jti: string }
  | { readonly clientId: string }
  | { readonly subject: string }
  | { readonly keyId: string }

/** The period of a revocation, and the issuer of the revoked tokens. Times are in milliseconds since the epoch. */
export interface RevocationTerms {
  /** When the revocation ends, at most a year from now. Choose a time after the last affected token has expired. */
  readonly until: number
  /** The issuer of the tokens, exactly as in `iss`. Optional if a single issuer is configured. */
  readonly issuer?: string
  /**
   * Revokes only tokens whose `iat` is before this time. After a client secret was rotated, new tokens of the client
   * then work. Tokens that are up to `clockToleranceMs` newer are refused too, and so are tokens without `iat`.
   * Default: tokens are refused regardless of when they were issued. Not allowed with `jti`, which names a single
   * token.
   */
  readonly issuedBefore?: number
}

export const revokedBy = ['jti', 'clientId', 'subject', 'keyId'] as const

/** The claim that identifies the revoked tokens. */
export type RevokedBy = (typeof revokedBy)[number]

/** One validated revocation. Times are in milliseconds since the epoch. */
export interface Revocation {
  readonly issuer: string
  readonly by: RevokedBy
  readonly value: string
  readonly until: number
  /** If undefined, tokens are refused regardless of when they were issued. */
  readonly issuedBefore: number | undefined
}

/** The target of a revocation. A new revocation with the same target replaces it. */
export type RevokedTokens = Pick<Revocation, 'issuer' | 'by' | 'value'>
