/** Limits how often tokens are renewed because the API refused them. */
export interface RenewalLimit {
  /** Whether a refused token may be replaced now; if so, this counts as a renewal. */
  readonly mayRenew: (wasAccepted: boolean) => boolean
}

const windowMs = 10_000
/** An API that answers 401 to everything must not turn each call into a token request. */
const maxForNeverAccepted = 1
/** A token that worked may be revoked at any time. But one route that always answers 401 must not cause a flood either. */
const maxForAccepted = 10

/** @param now milliseconds since the epoch */
export function createRenewalLimit(now: () => number): RenewalLimit {
  let windowStart = -Infinity
  let renewals = 0
  return {
    mayRenew(wasAccepted) {
      const elapsed = now() - windowStart
      // Below 0: the clock was set back, so the window means nothing any more.
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
