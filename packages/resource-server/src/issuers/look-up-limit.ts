/** Limits how often tokens from unknown issuers cause calls to the application's function `issuers`. */
export interface LookUpLimit {
  /**
   * Returns true if a lookup may start now, and counts it. Returns false if the limit has been reached. The time is in
   * milliseconds since the epoch.
   */
  take(time: number): boolean
  /** Must be called when a lookup has ended. */
  release(): void
}

/** The maximum number of concurrent lookups. */
export const lookUpsAtOnce = 20
/** The maximum number of lookups per second. After an idle second, this number of lookups may start at once. */
export const lookUpsPerSecond = 100
/**
 * The maximum number of lookups for calls to `explain`, both concurrently and per second. These calls have their own
 * limit, so that they cannot prevent lookups for the verification of requests.
 */
export const explainedLookUpsAtOnce = 5

/**
 * Limits lookups with a token bucket. With a fixed limit per second, a flood would use up the lookups at the start of
 * each second, and a client that retries once a second could fail every time.
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
      // If the clock was set back, the elapsed time counts as zero.
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
