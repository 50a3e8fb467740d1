import type { RefusalReason } from './errors.js'

/** What a resource server did since it was registered, and how its issuers are doing. */
export interface ResourceServerStats {
  /** Requests and tokens that were let in. */
  readonly allowed: number
  /** Those that were not, by reason; only reasons that occurred. */
  readonly refused: Readonly<Partial<Record<RefusalReason, number>>>
  /** What is only reported (`mode: 'report'`, and `report` of routes): at most 1000 clients by route and reason. */
  readonly reported: readonly ReportedRefusal[]
  /** Verified tokens that are remembered now. */
  readonly cachedTokens: number
  readonly issuers: readonly IssuerStats[]
  /** Undefined without the option `revocation`. */
  readonly revocations?: RevocationStats
}

/** Requests that were let in and would be refused: those of one client to one route for one reason. */
export interface ReportedRefusal {
  /** The client that the token names; null: no token names one, or there are too many to count each. */
  readonly client: string | null
  /** Whether the token was verified. If not, anyone may have written the client's name into it. */
  readonly isVerified: boolean
  /** Such as `GET /receipts/:id`. */
  readonly route: string
  /** Why; `failed`: a callback of the application failed, which would be answered with 500. */
  readonly reason: RefusalReason | 'failed'
  readonly count: number
  /** When the last one came, in milliseconds since the epoch. */
  readonly lastAt: number
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

/** How revocations are doing. */
export interface RevocationStats {
  /** Revocations that have not ended. */
  readonly active: number
  /** Whether this process knows the revocations of all replicas; true without a store. */
  readonly isCurrent: boolean
}

/** Counts what is let in and what is not. */
export interface Tally {
  allowed: number
  readonly refused: Partial<Record<RefusalReason, number>>
}

/** The counts up to now, with the state of the issuers. */
export function statsOf(
  { allowed, refused }: Tally,
  state: Omit<ResourceServerStats, keyof Tally | 'reported'>,
  reported: readonly ReportedRefusal[] = [],
): ResourceServerStats {
  return { allowed, refused: { ...refused }, reported, ...state }
}

export function createTally(): Tally {
  return { allowed: 0, refused: {} }
}
