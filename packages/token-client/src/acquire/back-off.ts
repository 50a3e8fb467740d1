const shortestMs = 500
const firstMs = 1_000
const longestMs = 60_000

/** Remembers failures: when to try again, and what to tell those who ask before. */
export interface BackOff {
  /** The failure that still counts, if it does. */
  current(): Error | undefined
  /** Notes a failure; returns the wait in milliseconds. @param askedForMs what the server asked for by `Retry-After` */
  fail(makeError: (retryAfterMs: number) => Error, askedForMs: number | undefined): Error
  succeed(): void
}

/** Exponential with full jitter, so that many processes do not come back at once. */
export function createBackOff(now: () => number, random: () => number): BackOff {
  let failures = 0
  let failedAt = Infinity
  let until = -Infinity
  let makeLast: ((retryAfterMs: number) => Error) | undefined
  return {
    current() {
      const time = now()
      // Before the failure: the clock was set back, and says nothing about the wait.
      const isWaiting = failedAt <= time && time < until
      return isWaiting ? makeLast?.(until - time) : undefined
    },
    fail(makeError, askedForMs) {
      const ceiling = Math.min(firstMs * 2 ** failures, longestMs)
      // `Retry-After: 0` is no leave to ask with every call.
      const waitMs = Math.max(askedForMs ?? random() * ceiling, shortestMs)
      failures += 1
      failedAt = now()
      until = failedAt + waitMs
      makeLast = makeError
      return makeError(waitMs)
    },
    succeed() {
      failures = 0
      makeLast = undefined
    },
  }
}
