/** What is revoked: one token by its `jti`, or every token of a client, of a subject, or signed with a key. */
export type RevocationTarget =
  | { readonly jti: string }
  | { readonly clientId: string }
  | { readonly subject: string }
  | { readonly keyId: string }

/** Whose tokens are revoked, and for how long. Times in milliseconds since the epoch. */
export interface RevocationTerms {
  /**
   * When the revocation ends: not before the last token it is about has expired. At most a year from now, so that
   * revocations do not pile up.
   */
  readonly until: number
  /** The issuer of the tokens, exactly as in their `iss`. May be left out if a single issuer is configured. */
  readonly issuer?: string
  /**
   * Only tokens issued before this time, by their `iat`: after a client's secret was rotated, new tokens of that client
   * work. Tokens whose `iat` is up to `clockToleranceMs` later are refused too, and so are tokens without `iat`.
   * Default: all tokens are refused until `until`. Not for a `jti`, which names a single token.
   */
  readonly issuedBefore?: number
}

export const revokedBy = ['jti', 'clientId', 'subject', 'keyId'] as const

/** What names the tokens of a revocation. */
export type RevokedBy = (typeof revokedBy)[number]

/** One revocation, checked. Times in milliseconds since the epoch. */
export interface Revocation {
  readonly issuer: string
  readonly by: RevokedBy
  readonly value: string
  readonly until: number
  /** Undefined: every token, whenever it was issued. */
  readonly issuedBefore: number | undefined
}

/** Which tokens a revocation is about: one that names the same tokens replaces it. */
export type RevokedTokens = Pick<Revocation, 'issuer' | 'by' | 'value'>
