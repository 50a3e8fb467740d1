import type { RefusalReason } from './errors.js'

/** The counts since the plugin was registered, and the state of each issuer's keys. */
export interface ResourceServerStats {
  /** The number of accepted requests and tokens. */
  readonly allowed: number
  /** The number of refused requests and tokens for each reason. Reasons that have not occurred are absent. */
  readonly refused: Readonly<Partial<Record<RefusalReason, number>>>
  /**
   * The refusals that were reported but not enforced, because of `mode: 'report'` or a route's `report` rule. There is
   * one entry for each combination of client, route and reason. At most 1000 entries name a client.
   */
  readonly reported: readonly ReportedRefusal[]
  /** The number of verified tokens in the cache. */
  readonly cachedTokens: number
  readonly issuers: readonly IssuerStats[]
  /** The state of the revocations, or undefined if the option `revocation` is not set. */
  readonly revocations?: RevocationStats
}

/**
 * Requests from one client to one route that were accepted, but would all have been refused for the same reason if
 * refusals were enforced.
 */
export interface ReportedRefusal {
  /** The client id in the token, or null if the token has none or there are too many clients to list. */
  readonly client: string | null
  /** Whether the token was verified. If it was not, `client` cannot be trusted. */
  readonly isVerified: boolean
  /** The method and the URL of the route, such as `GET /receipts/:id`. */
  readonly route: string
  /**
   * The refusal reason, or `failed` if one of the application's callbacks failed. Such a failure would normally have
   * caused a 500 response.
   */
  readonly reason: RefusalReason | 'failed'
  readonly count: number
  /** The time of the last request, in milliseconds since the epoch. */
  readonly lastAt: number
}

/** The state of one issuer's keys. */
export interface IssuerStats {
  readonly issuer: string
  /** The ids of the accepted keys. */
  readonly kids: readonly (string | undefined)[]
  /** When the keys were last fetched, in milliseconds since the epoch, or null if they have never been fetched. */
  readonly fetchedAt: number | null
  /** The number of consecutive failed requests for keys, or 0 if the last request succeeded. */
  readonly failures: number
}

/** The state of the revocations. */
export interface RevocationStats {
  /** The number of revocations that are in effect. */
  readonly active: number
  /** Whether this process knows the revocations from all replicas. Without a shared store, this is always true. */
  readonly isCurrent: boolean
}

/** The numbers of accepted and refused requests. */
export interface Tally {
  allowed: number
  readonly refused: Partial<Record<RefusalReason, number>>
}

/** Returns the current counts, and the state of each issuer's keys. */
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
