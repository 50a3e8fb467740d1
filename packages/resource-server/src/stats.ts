import type { RefusalReason } from './errors.js'

/** The counts since registration, and the state of the issuers. */
export interface ResourceServerStats {
  /** The number of accepted requests and tokens. */
  readonly allowed: number
  /** The number of refused requests and tokens by reason. Contains only reasons that occurred. */
  readonly refused: Readonly<Partial<Record<RefusalReason, number>>>
  /**
   * Refusals that are only reported (`mode: 'report'`, and `report` of routes), by client, route and reason. At most
   * 1000 entries name a client.
   */
  readonly reported: readonly ReportedRefusal[]
  /** The number of verified tokens in the cache. */
  readonly cachedTokens: number
  readonly issuers: readonly IssuerStats[]
  /** Undefined without the option `revocation`. */
  readonly revocations?: RevocationStats
}

/** Requests of one client to one route that were accepted but would be refused for one reason. */
export interface ReportedRefusal {
  /** The client that the token names; null if the token names no client, or if there are too many clients. */
  readonly client: string | null
  /** Whether the token was verified. If not, the client's name is not trustworthy. */
  readonly isVerified: boolean
  /** Such as `GET /receipts/:id`. */
  readonly route: string
  /** The refusal reason, or `failed` if a callback of the application failed, which means a response with 500. */
  readonly reason: RefusalReason | 'failed'
  readonly count: number
  /** The time of the last request, in milliseconds since the epoch. */
  readonly lastAt: number
}

/** One issuer's keys. */
export interface IssuerStats {
  readonly issuer: string
  /** The ids of the accepted keys. */
  readonly kids: readonly (string | undefined)[]
  /** When the keys were last fetched, in milliseconds since the epoch; null if never. */
  readonly fetchedAt: number | null
  /** The number of consecutive failed requests for keys; 0 if the last one succeeded. */
  readonly failures: number
}

/** How revocations are doing. */
export interface RevocationStats {
  /** The number of revocations that have not ended. */
  readonly active: number
  /** Whether this process knows the revocations of all replicas. Always true without a store. */
  readonly isCurrent: boolean
}

/** The counters of accepted and refused requests. */
export interface Tally {
  allowed: number
  readonly refused: Partial<Record<RefusalReason, number>>
}

/** Returns the current counts and the state of the issuers. */
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
