/** How long a cached response may be used, in milliseconds. */
export interface FreshnessTimes {
  /** The age at which a response becomes stale. Background renewal starts at 80 % of this age. */
  readonly maxAgeMs: number
  /** The age up to which a stale response is used if renewal fails. It must be longer than `maxAgeMs`. */
  readonly keepMs: number
}

/**
 * Tracks the age of a cached response, and the back-off after failed requests. Times are in milliseconds since the
 * epoch.
 */
export interface Freshness {
  /**
   * Returns whether the response can be used without waiting. This is also true for a stale response whose renewal has
   * failed.
   */
  isFresh(time: number): boolean
  /** Returns whether the response should be renewed in the background. */
  isDue(time: number): boolean
  /** Returns whether the response may still be used if renewal fails. */
  isUsable(time: number): boolean
  /** Returns the remaining back-off in milliseconds, or 0 if a request is allowed now. */
  backOffMs(time: number): number
  succeed(time: number): void
  /** Records a failure, and returns the back-off in milliseconds. */
  fail(time: number): number
  /** Returns the time of the last response (`-Infinity` if there was none), and the number of failures since then. */
  state(): { readonly answeredAt: number; readonly failures: number }
}

export const firstBackOffMs = 1_000
const longestBackOffMs = 60_000

export function createFreshness({ maxAgeMs, keepMs }: FreshnessTimes): Freshness {
  let answeredAt = -Infinity
  let failedAt = -Infinity
  let failures = 0
  let retryAfterMs = 0
  const isUsable = (time: number): boolean => isWithin(keepMs, answeredAt, time)
  return {
    isFresh: time => isWithin(maxAgeMs, answeredAt, time) || (failures > 0 && isUsable(time)),
    isDue: time => !isWithin(maxAgeMs * 0.8, answeredAt, time),
    isUsable,
    backOffMs: time => (isWithin(retryAfterMs, failedAt, time) ? failedAt + retryAfterMs - time : 0),
    succeed(time) {
      answeredAt = time
      failures = 0
      retryAfterMs = 0
    },
    fail(time) {
      retryAfterMs = Math.min(firstBackOffMs * 2 ** failures, longestBackOffMs)
      failures += 1
      failedAt = time
      return retryAfterMs
    },
    state: () => ({ answeredAt, failures }),
  }
}

/**
 * Returns whether less than `durationMs` has passed since the time `since`. Also returns false if `since` is in the
 * future, which means that the clock was set back.
 */
export function isWithin(durationMs: number, since: number, time: number): boolean {
  const elapsed = time - since
  return elapsed >= 0 && elapsed < durationMs
}
