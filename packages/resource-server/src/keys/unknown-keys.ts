import { isWithin } from '../freshness.js'

/** Limits the requests to an issuer that unknown key ids cause. Times are in milliseconds. */
export interface UnknownKeys {
  /** Returns when the issuer was last asked for a key id that it did not list; undefined if not within the cooldown. */
  absentAt(kid: string | undefined): number | undefined
  noteAbsent(kid: string | undefined): void
  /**
   * Uses one of the allowed requests.
   * @returns 0 if a request is allowed now, otherwise the waiting time in milliseconds
   */
  takeRequest(): number
}

/**
 * The number of requests for unknown key ids in one cooldown. With a single request, an invented key id could delay a
 * new key for the whole cooldown. More requests help because each one fetches all keys.
 */
export const unknownKeyRequests = 5
/** The separate limit for explanations, so that they do not use up the requests of verification. */
export const explainedKeyRequests = 2

/** The number of unknown key ids that are remembered, which bounds memory and time during a flood. */
const mostRemembered = 1_000

/**
 * @param cooldownMs the period in which at most `mostRequests` requests are allowed, and one for each key id
 * @param now returns milliseconds since the epoch
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
