import type { TokenRequestFailure } from './token-request-failure.js'

const shortestMs = 500
const firstMs = 1_000
const longestMs = 60_000

/** A failed token request, and how long no other is made, in milliseconds. */
export interface Outage {
  readonly failure: TokenRequestFailure
  readonly retryAfterMs: number
}

/** Remembers failed token requests, and when to try again. */
export interface BackOff {
  /** The failure that no other request may follow yet, if there is one. */
  current(): Outage | undefined
  fail(failure: TokenRequestFailure): Outage
  succeed(): void
}

/** Exponential with full jitter, so that many processes do not retry at the same time. */
export function createBackOff(now: () => number, random: () => number): BackOff {
  let failures = 0
  let failedAt = Infinity
  let until = -Infinity
  let last: TokenRequestFailure | undefined
  return {
    current() {
      const time = now()
      // Before the failure: the clock was set back, and says nothing about the wait.
      if (last === undefined || time < failedAt || time >= until) return undefined
      return { failure: last, retryAfterMs: until - time }
    },
    fail(failure) {
      const ceiling = Math.min(firstMs * 2 ** failures, longestMs)
      // `Retry-After: 0` does not allow a request for every call.
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
