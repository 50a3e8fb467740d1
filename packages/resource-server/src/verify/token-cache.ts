import { Refusal } from '../errors.js'
import type { KeySet } from '../keys/key-set.js'
import type { PublicKey } from '../keys/public-key.js'
import type { Outcome } from '../outcome.js'
import { createTokenMap } from './token-map.js'

/** The period in which a cached result may be used. Times are in milliseconds since the epoch. */
export interface Validity {
  readonly from: number
  readonly until: number
  /**
   * The key that verified the token, and its key set. The cached result is valid only while the key set contains the
   * key. Undefined for an expired token, because its signature was not verified.
   */
  readonly signedBy?: { readonly key: PublicKey; readonly keys: KeySet }
}

/** The result of verifying a token. */
export interface Verification {
  readonly outcome: Outcome
  /** The period in which the cached result may be used. If undefined, the result must not be cached. */
  readonly validity?: Validity
}

/**
 * Caches the results for verified tokens. Also caches the results for expired tokens, because some clients keep sending
 * the same expired token. Anyone can forge expired tokens, because their signatures are not verified. Expired tokens
 * therefore have a separate cache, so that they cannot evict verified tokens.
 */
export interface TokenCache {
  /** Returns the cached result for an `Authorization` header, or undefined if there is no valid result. */
  get(header: string): Outcome | undefined
  set(header: string, verification: Verification): void
  /** The number of verified tokens in the cache. */
  readonly size: number
}

/**
 * The maximum total length of cached expired tokens, in characters. It limits memory use, because anyone can send long
 * tokens that have expired.
 */
const maxExpiredCharacters = 1_000_000

/**
 * Creates a cache for up to `max` verified tokens and, separately, up to `max` expired tokens. If `max` is 0, nothing
 * is cached.
 */
export function createTokenCache(max: number, now: () => number): TokenCache {
  if (max === 0) return { get: () => undefined, set() {}, size: 0 }
  const verified = createTokenMap<Cached>(max)
  const expired = createTokenMap<Cached>(max, maxExpiredCharacters)
  return {
    get(header) {
      const known = verified.get(header)
      if (known !== undefined) {
        if (isValid(known.validity, now())) return known.outcome
        verified.delete(header)
      }
      const late = expired.get(header)
      return late !== undefined && isValid(late.validity, now()) ? late.outcome : undefined
    },
    set(header, { outcome, validity }) {
      if (validity === undefined) return
      const map = outcome instanceof Refusal ? expired : verified
      map.set(header, { outcome, validity })
    },
    get size() {
      return verified.size
    },
  }
}

type Cached = Required<Verification>

function isValid({ from, until, signedBy }: Validity, time: number): boolean {
  if (time < from || time >= until) return false
  return signedBy === undefined || signedBy.keys.reuse(signedBy.key, time)
}
