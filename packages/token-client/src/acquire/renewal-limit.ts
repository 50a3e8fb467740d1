/** Limits how often a client replaces tokens that the API rejected. */
export interface RenewalLimit {
  /** If a rejected token may be replaced now, counts one renewal and returns true. Otherwise, returns false. */
  readonly mayRenew: (wasAccepted: boolean) => boolean
}

const windowMs = 10_000
/**
 * The maximum number of renewals per 10 seconds for tokens that the API never accepted. Without this limit, an API that
 * rejects every token would cause a token request for each call.
 */
const maxForNeverAccepted = 1
/**
 * The maximum number of renewals per 10 seconds for tokens that the API accepted before. Such tokens may have been
 * revoked, but a route that always responds with 401 must not flood the issuer with token requests.
 */
const maxForAccepted = 10

/** @param now returns the time in milliseconds since the epoch */
export function createRenewalLimit(now: () => number): RenewalLimit {
  let windowStart = -Infinity
  let renewals = 0
  return {
    mayRenew(wasAccepted) {
      const elapsed = now() - windowStart
      // If the clock was set back, the elapsed time is negative, and a new window begins.
      if (elapsed < 0 || elapsed >= windowMs) {
        windowStart = now()
        renewals = 0
      }
      if (renewals >= (wasAccepted ? maxForAccepted : maxForNeverAccepted)) return false
      renewals += 1
      return true
    },
  }
}
