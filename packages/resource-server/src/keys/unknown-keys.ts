import { isWithin } from '../freshness.js'

/** Limits how often key ids that the issuer did not list cause a request to it. Times in milliseconds. */
export interface UnknownKeys {
  /** When the issuer was last asked for this key id and did not list it; undefined: not within the cooldown. */
  absentAt(kid: string | undefined): number | undefined
  noteAbsent(kid: string | undefined): void
  /** Takes one of the requests that are left. @returns how long until there is one, in milliseconds; 0: taken */
  takeRequest(): number
}

/**
 * One request fetches every key, so an invented key id takes little from a new one; with a single request for each
 * cooldown, it would keep new keys out for all of it.
 */
export const unknownKeyRequests = 5
/** Explanations have a limit of their own, so that they keep no new key from requests. */
export const explainedKeyRequests = 2

/** Key ids that are remembered; without a limit, a flood of them that waits for one answer would take memory and time. */
const mostRemembered = 1_000

/**
 * @param cooldownMs in this time, unknown key ids cause at most `mostRequests`, and each of them one
 * @param now milliseconds since the epoch
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
