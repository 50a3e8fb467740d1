import { Refusal } from '../errors.js'
import type { KeySet } from '../keys/key-set.js'
import type { PublicKey } from '../keys/public-key.js'
import type { Outcome } from '../outcome.js'
import { createTokenMap } from './token-map.js'

/** What has to hold for an earlier result to be used again. Times in milliseconds since the epoch. */
export interface Validity {
  readonly from: number
  readonly until: number
  /** The key that verified the token, and the set that must still list it; undefined for an expired token. */
  readonly signedBy?: { readonly key: PublicKey; readonly keys: KeySet }
}

/** The result of verifying a token. */
export interface Verification {
  readonly outcome: Outcome
  /** Undefined: the result must not be used again. */
  readonly validity?: Validity
}

/**
 * Caches the outcome for tokens that will be seen again: verified ones, and expired ones, which some clients keep
 * resending. Expired ones have room of their own: they have not been verified, and a flood of them must not push verified
 * tokens out.
 */
export interface TokenCache {
  /** The outcome for an `Authorization` header, if it is still valid. */
  get(header: string): Outcome | undefined
  set(header: string, verification: Verification): void
  /** Number of verified tokens in the cache. */
  readonly size: number
}

/** Expired tokens may be as long as their sender likes: this bounds their total length. */
const maxExpiredCharacters = 1_000_000

/** @param max how many tokens of either kind are kept; 0 keeps none */
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
