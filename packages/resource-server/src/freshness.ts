/** How long an answer may be used, in milliseconds. */
export interface FreshnessTimes {
  /** Age at which it is renewed; in the background from four fifths of it on. */
  readonly maxAgeMs: number
  /** Age up to which it stays in use while it cannot be renewed; longer than `maxAgeMs`. */
  readonly keepMs: number
}

/** How old the last answer is, and when to ask again after a failure. Times are milliseconds since the epoch. */
export interface Freshness {
  /** Whether the answer may be used without waiting: past its age only after a renewal has failed. */
  isFresh(time: number): boolean
  /** Whether to renew it in the background. */
  isDue(time: number): boolean
  /** Whether it may be used while it cannot be renewed. */
  isUsable(time: number): boolean
  /** How long not to ask again after failures, in milliseconds; 0: ask. */
  backOffMs(time: number): number
  succeed(time: number): void
  /** @returns how long not to ask again, in milliseconds */
  fail(time: number): number
  /** When the last answer came (`-Infinity`: never), and the failures since. */
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

/** False if the clock was set back to before that moment: then the age is unknown. */
export function isWithin(durationMs: number, since: number, time: number): boolean {
  const elapsed = time - since
  return elapsed >= 0 && elapsed < durationMs
}
