import { LRUCache } from 'lru-cache'
import type { AccessToken } from '../access-token.js'
import type { PublicKey } from './public-key.js'
import type { KeySet } from './key-set.js'

/** A token that was verified, and what has to hold for it to count again. */
export interface VerifiedToken {
  readonly token: AccessToken
  readonly key: PublicKey
  readonly keys: KeySet
  /** Milliseconds since the epoch; the claims are past their time from then on. */
  readonly usableUntil: number
}

/** Verified tokens by their text. Only tokens that verified get in, so a flood of others can push nothing out. */
export interface TokenCache {
  get(raw: string): VerifiedToken | undefined
  set(raw: string, verified: VerifiedToken): void
  readonly size: number
}

/** @param max how many tokens are kept; 0 keeps none */
export function createTokenCache(max: number, now: () => number): TokenCache {
  if (max === 0) return { get: () => undefined, set() {}, size: 0 }
  const entries = new LRUCache<string, VerifiedToken>({ max })
  return {
    get(raw) {
      const verified = entries.get(raw)
      if (verified === undefined) return undefined
      if (now() < verified.usableUntil && verified.keys.holds(verified.key)) return verified
      entries.delete(raw)
      return undefined
    },
    set(raw, verified) {
      entries.set(raw, verified)
    },
    get size() {
      return entries.size
    },
  }
}
