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
  /** Whether this text has verified before, be it usable now or not. */
  has(raw: string): boolean
  set(raw: string, verified: VerifiedToken): void
  readonly size: number
}

interface Entry {
  readonly raw: string
  readonly verified: VerifiedToken
}

/**
 * Characters at the end of a token that it is looked up by: 192 bits of its signature. To look it up by all of it would
 * cost more than the rest of the guard, since V8 hashes a string one character after the other; that two strings are
 * equal costs it next to nothing.
 */
const tailLength = 32

/** @param max how many tokens are kept; 0 keeps none */
export function createTokenCache(max: number, now: () => number): TokenCache {
  if (max === 0) return { get: () => undefined, has: () => false, set() {}, size: 0 }
  const entries = new LRUCache<string, Entry>({ max })
  return {
    get(raw) {
      const tail = raw.slice(-tailLength)
      const entry = entries.get(tail)
      if (entry === undefined || entry.raw !== raw) return undefined
      const { verified } = entry
      if (now() < verified.usableUntil && verified.keys.holds(verified.key)) return verified
      entries.delete(tail)
      return undefined
    },
    has(raw) {
      return entries.peek(raw.slice(-tailLength))?.raw === raw
    },
    set(raw, verified) {
      entries.set(raw.slice(-tailLength), { raw, verified })
    },
    get size() {
      return entries.size
    },
  }
}
