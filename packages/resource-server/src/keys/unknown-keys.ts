import { isWithin } from '../freshness.js'

/** Limits how often tokens with unknown key ids cause requests to an issuer. Times are in milliseconds. */
export interface UnknownKeys {
  /**
   * Returns the time at which the issuer last responded without this key id, or undefined if that never happened or was
   * longer ago than the cooldown.
   */
  absentAt(kid: string | undefined): number | undefined
  noteAbsent(kid: string | undefined): void
  /**
   * Checks whether another request is allowed now and, if so, counts it.
   * @returns 0 if the request is allowed. Otherwise, the time to wait in milliseconds
   */
  takeRequest(): number
}

/**
 * The maximum number of requests for unknown key ids in one cooldown period. If only one request were allowed, a token
 * with an invented key id could delay the discovery of a new key for the whole period.
 */
export const unknownKeyRequests = 5
/**
 * The maximum number of requests that `explain` may send for unknown key ids in one cooldown period. This limit is
 * separate from the limit for verification, so that calls of `explain` cannot prevent tokens from being verified.
 */
export const explainedKeyRequests = 2

/**
 * The maximum number of unknown key ids that are remembered. It limits memory use and computing time during a flood of
 * invalid tokens.
 */
const mostRemembered = 1_000

/**
 * @param cooldownMs the period in which at most `mostRequests` requests are allowed, and at most one for each key id
 * @param now returns the time in milliseconds since the epoch
 */
export function createUnknownKeys(
  cooldownMs: number,
  now: () => number,
  mostRequests: number = unknownKeyRequests,
): UnknownKeys {
  /** The oldest first. */
  const absent = new Map<string | undefined, number>()
  let requestedAt: readonly number[] = []
  const isRecent = (time: number): boolean => isWithin(cooldownMs, time, now())

  return {
    absentAt(kid) {
      const time = absent.get(kid)
      return time !== undefined && isRecent(time) ? time : undefined
    },
    noteAbsent(kid) {
      absent.delete(kid)
      absent.set(kid, now())
      for (const [known, time] of absent) {
        if (isRecent(time) && absent.size <= mostRemembered) break
        absent.delete(known)
      }
    },
    takeRequest() {
      requestedAt = requestedAt.filter(isRecent)
      const [oldest = 0] = requestedAt
      if (requestedAt.length >= mostRequests) return oldest + cooldownMs - now()
      requestedAt = [...requestedAt, now()]
      return 0
    },
  }
}
