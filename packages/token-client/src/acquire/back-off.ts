import type { TokenRequestFailure } from './token-request-failure.js'

const shortestMs = 500
const firstMs = 1_000
const longestMs = 60_000

/** A failed token request, and the time in milliseconds until the next request. */
export interface Outage {
  readonly failure: TokenRequestFailure
  readonly retryAfterMs: number
}

/** Schedules retries after failed token requests. */
export interface BackOff {
  /** If the client is waiting to retry after a failure, returns that failure. Otherwise, returns undefined. */
  current(): Outage | undefined
  fail(failure: TokenRequestFailure): Outage
  succeed(): void
}

/** Creates an exponential back-off with full jitter, so that many processes do not retry at the same time. */
export function createBackOff(now: () => number, random: () => number): BackOff {
  let failures = 0
  let failedAt = Infinity
  let until = -Infinity
  let last: TokenRequestFailure | undefined
  return {
    current() {
      const time = now()
      // If the clock was set back to before the failure, the next call may request a token at once.
      if (last === undefined || time < failedAt || time >= until) return undefined
      return { failure: last, retryAfterMs: until - time }
    },
    fail(failure) {
      const ceiling = Math.min(firstMs * 2 ** failures, longestMs)
      // Without a minimum delay, `Retry-After: 0` would lead to a token request for every call.
      const retryAfterMs = Math.max(failure.retryAfterMs ?? random() * ceiling, shortestMs)
      failures += 1
      failedAt = now()
      until = failedAt + retryAfterMs
      last = failure
      return { failure, retryAfterMs }
    },
    succeed() {
      failures = 0
      last = undefined
    },
  }
}
