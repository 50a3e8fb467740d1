/** Limits how often tokens with unknown issuers cause a call of the function `issuers`. */
export interface LookUpLimit {
  /** Starts a lookup if the limit allows one now, and otherwise returns false. `time` is in milliseconds. */
  take(time: number): boolean
  /** Call this when a lookup has ended. */
  release(): void
}

/** The maximum number of concurrent lookups. */
export const lookUpsAtOnce = 20
/** The maximum number of lookups that start in one second. After an idle second, all of them may start at once. */
export const lookUpsPerSecond = 100
/**
 * The separate limit for explanations, per second and concurrently, so that they do not use up the lookups of
 * verification.
 */
export const explainedLookUpsAtOnce = 5

/**
 * Limits lookups with a token bucket. With a counter per second, a flood of invented issuers would use up the start
 * of each second, and a client that retries after one second would be refused each time.
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
      // If the clock was set back, no time has elapsed.
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
