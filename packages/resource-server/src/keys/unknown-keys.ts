import { isWithin } from '../freshness.js'

/** Limits how often key ids that the issuer did not list cause a request to it. Times in milliseconds. */
export interface UnknownKeys {
  /** The issuer was asked for this key id within the cooldown, and did not list it. */
  wasAbsent(kid: string | undefined): boolean
  noteAbsent(kid: string | undefined): void
  /** Takes one of the requests that are left. @returns how long until there is one, in milliseconds; 0: taken */
  takeRequest(): number
}

/**
 * One request fetches every key, so an invented key id takes little from a new one; with a single request for each
 * cooldown, it would keep new keys out for all of it.
 */
export const unknownKeyRequests = 5

/**
 * @param cooldownMs in this time, unknown key ids cause at most {@link unknownKeyRequests} requests, and each of them one
 * @param now milliseconds since the epoch
 */
export function createUnknownKeys(cooldownMs: number, now: () => number): UnknownKeys {
  const absentSince = new Map<string | undefined, number>()
  let requestedAt: readonly number[] = []
  const isRecent = (time: number): boolean => isWithin(cooldownMs, time, now())

  return {
    wasAbsent: kid => isRecent(absentSince.get(kid) ?? -Infinity),
    noteAbsent(kid) {
      for (const [known, time] of absentSince) if (!isRecent(time)) absentSince.delete(known)
      absentSince.set(kid, now())
    },
    takeRequest() {
      requestedAt = requestedAt.filter(isRecent)
      const [oldest = 0] = requestedAt
      if (requestedAt.length >= unknownKeyRequests) return oldest + cooldownMs - now()
      requestedAt = [...requestedAt, now()]
      return 0
    },
  }
}
