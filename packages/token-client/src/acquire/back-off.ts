const shortestMs = 500
const firstMs = 1_000
const longestMs = 60_000
/** A server that asks for more is asked again all the same: nobody wants to be down for what one answer said. */
const longestAskedForMs = 300_000

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
  let until = -Infinity
  let makeLast: ((retryAfterMs: number) => Error) | undefined
  return {
    current() {
      const left = until - now()
      // More than any wait: the clock was set back.
      if (makeLast === undefined || left <= 0 || left > longestAskedForMs) return undefined
      return makeLast(left)
    },
    fail(makeError, askedForMs) {
      const ceiling = Math.min(firstMs * 2 ** failures, longestMs)
      const wantedMs = askedForMs === undefined ? random() * ceiling : Math.min(askedForMs, longestAskedForMs)
      // `Retry-After: 0` is no leave to ask with every call.
      const waitMs = Math.max(wantedMs, shortestMs)
      failures += 1
      until = now() + waitMs
      makeLast = makeError
      return makeError(waitMs)
    },
    succeed() {
      failures = 0
      makeLast = undefined
    },
  }
}
