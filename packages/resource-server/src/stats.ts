import type { RefusalReason } from './errors.js'

/** The counts since the plugin was registered, and the state of the issuers' keys. */
export interface ResourceServerStats {
  /** The number of accepted requests and tokens. */
  readonly allowed: number
  /** The number of refused requests and tokens for each reason. Contains only reasons that have occurred. */
  readonly refused: Readonly<Partial<Record<RefusalReason, number>>>
  /**
   * Refusals that were reported but not enforced, because of `mode: 'report'` or `report` in a rule. There is one entry
   * for each client, route and reason. At most 1000 entries name a client.
   */
  readonly reported: readonly ReportedRefusal[]
  /** The number of verified tokens in the cache. */
  readonly cachedTokens: number
  readonly issuers: readonly IssuerStats[]
  /** Undefined if the option `revocation` is not set. */
  readonly revocations?: RevocationStats
}

/** One client's requests to one route that were accepted, but would otherwise have been refused for one reason. */
export interface ReportedRefusal {
  /** The client id in the token. Null if the token has none, or if there are too many clients to list. */
  readonly client: string | null
  /** Whether the token was verified. If it was not, `client` is not trustworthy. */
  readonly isVerified: boolean
  /** The method and the URL of the route, such as `GET /receipts/:id`. */
  readonly route: string
  /** The refusal reason, or `failed` if a callback of the application failed, for which the response would be 500. */
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
  /** When the keys were last fetched, in milliseconds since the epoch; null if never. */
  readonly fetchedAt: number | null
  /** The number of consecutive failed requests for keys, or 0 if the last request succeeded. */
  readonly failures: number
}

/** The state of the revocations. */
export interface RevocationStats {
  /** The number of revocations that are in effect. */
  readonly active: number
  /** Whether this process knows the revocations of all replicas. Always true without a store. */
  readonly isCurrent: boolean
}

/** The counters of accepted and refused requests. */
export interface Tally {
  allowed: number
  readonly refused: Partial<Record<RefusalReason, number>>
}

/** Returns the current counts and the state of the issuers' keys. */
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
