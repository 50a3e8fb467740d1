/** Limits how often a client renews tokens that the API refused. */
export interface RenewalLimit {
  /** Returns true if a refused token may be replaced now, and counts the renewal. */
  readonly mayRenew: (wasAccepted: boolean) => boolean
}

const windowMs = 10_000
/** An API that refuses every token must not cause a token request for each call. */
const maxForNeverAccepted = 1
/**
 * A token that worked can be revoked at any time. But a route that always responds with 401 must not cause a flood of
 * requests.
 */
const maxForAccepted = 10

/** @param now returns the time in milliseconds since the epoch */
export function createRenewalLimit(now: () => number): RenewalLimit {
  let windowStart = -Infinity
  let renewals = 0
  return {
    mayRenew(wasAccepted) {
      const elapsed = now() - windowStart
      // A negative value means that the clock was set back. A new window begins.
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
