import { Refusal } from '../errors.js'
import type { KeySet } from '../keys/key-set.js'
import type { PublicKey } from '../keys/public-key.js'
import type { Outcome } from '../outcome.js'
import { createTokenMap } from './token-map.js'

/** The conditions for using a cached result. Times in milliseconds since the epoch. */
export interface Validity {
  readonly from: number
  readonly until: number
  /** The key that verified the token, and the key set that must still list it. Undefined for an expired token. */
  readonly signedBy?: { readonly key: PublicKey; readonly keys: KeySet }
}

/** The result of verifying a token. */
export interface Verification {
  readonly outcome: Outcome
  /** Undefined: the result must not be cached. */
  readonly validity?: Validity
}

/**
 * Caches the results for verified tokens, and for expired tokens, which some clients keep sending. Expired tokens have
 * a separate cache: they are unverified, and many of them must not evict verified tokens.
 */
export interface TokenCache {
  /** Returns the result for an `Authorization` header, if it is still valid. */
  get(header: string): Outcome | undefined
  set(header: string, verification: Verification): void
  /** The number of verified tokens in the cache. */
  readonly size: number
}

/** The maximum total length of cached expired tokens, because their sender chooses their length. */
const maxExpiredCharacters = 1_000_000

/** @param max the maximum number of tokens of each kind; 0 disables the cache */
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
