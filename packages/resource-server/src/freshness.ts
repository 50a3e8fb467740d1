/** The lifetime of a cached response, in milliseconds. */
export interface FreshnessTimes {
  /** The age at which the response is renewed. Background renewal starts at four fifths of it. */
  readonly maxAgeMs: number
  /** The age until which a stale response is used if renewal fails. Longer than `maxAgeMs`. */
  readonly keepMs: number
}

/** Tracks the age of the last response and the back-off after failures. Times are milliseconds since the epoch. */
export interface Freshness {
  /** Whether the response can be used without waiting. A stale response can be, if its renewal has failed. */
  isFresh(time: number): boolean
  /** Whether to renew the response in the background. */
  isDue(time: number): boolean
  /** Whether the response can be used if renewal fails. */
  isUsable(time: number): boolean
  /** The remaining back-off in milliseconds; 0 if a request is allowed. */
  backOffMs(time: number): number
  succeed(time: number): void
  /** @returns the back-off in milliseconds */
  fail(time: number): number
  /** The time of the last response (`-Infinity`: none), and the number of failures since then. */
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

/** Returns false if `since` is in the future, because the clock was set back and the age is unknown. */
export function isWithin(durationMs: number, since: number, time: number): boolean {
  const elapsed = time - since
  return elapsed >= 0 && elapsed < durationMs
}
