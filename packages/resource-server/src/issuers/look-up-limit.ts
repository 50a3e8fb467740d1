/** Limits how often tokens make the application look up issuers that are not known. */
export interface LookUpLimit {
  /** Takes one of the look-ups that are left at this time in milliseconds; false: there is none. */
  take(time: number): boolean
  /** Reports that one has ended. */
  release(): void
}

/** Look-ups that may be running at the same time. */
export const lookUpsAtOnce = 20
/** Look-ups that may begin in one second; after a quiet second, all of them at once. */
export const lookUpsPerSecond = 100
/** Explanations have a limit of their own, so that they take no look-up from requests. As many may begin in one second. */
export const explainedLookUpsAtOnce = 5

/**
 * A token bucket. With a count for each second instead, invented issuers would use up the start of every second, and a
 * client that tries again a second later would be refused each time.
 */
export function createLookUpLimit(
  atOnce: number = lookUpsAtOnce,
  perSecond: number = lookUpsPerSecond,
): LookUpLimit {
  let running = 0
  let left = perSecond
  let updatedAt = -Infinity
  return {
    take(time) {
      // A clock that was set back adds none.
      const elapsedMs = Math.max(0, time - updatedAt)
      left = Math.min(perSecond, left + (elapsedMs * perSecond) / 1_000)
      updatedAt = time
      if (running >= atOnce || left < 1) return false
      running += 1
      left -= 1
      return true
    },
    release() {
      running -= 1
    },
  }
}
