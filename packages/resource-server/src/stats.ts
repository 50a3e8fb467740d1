import type { RefusalReason } from './errors.js'

/** What a resource server did since it was registered, and how its issuers are doing. */
export interface ResourceServerStats {
  /** Requests and tokens that were let in. */
  readonly allowed: number
  /** Those that were not, by reason; only reasons that occurred. */
  readonly refused: Readonly<Partial<Record<RefusalReason, number>>>
  /** Verified tokens that are remembered now. */
  readonly cachedTokens: number
  readonly issuers: readonly IssuerStats[]
  /** Revocations that have not ended; undefined without the option `revocation`. */
  readonly revocations?: number
}

/** One issuer's keys. */
export interface IssuerStats {
  readonly issuer: string
  /** Key ids that are accepted now. */
  readonly kids: readonly (string | undefined)[]
  /** When the issuer last answered with its keys, in milliseconds since the epoch; null: never. */
  readonly fetchedAt: number | null
  /** Requests for keys that failed one after the other until now; 0: all is well. */
  readonly failures: number
}

/** Counts what is let in and what is not. */
export interface Tally {
  allowed: number
  readonly refused: Partial<Record<RefusalReason, number>>
}

/** The counts up to now, with the state of the issuers. */
export function statsOf(
  { allowed, refused }: Tally,
  state: Omit<ResourceServerStats, keyof Tally>,
): ResourceServerStats {
  return { allowed, refused: { ...refused }, ...state }
}

export function createTally(): Tally {
  return { allowed: 0, refused: {} }
}
