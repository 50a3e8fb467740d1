import { LRUCache } from 'lru-cache'
import type { AccessToken } from '../access-token.js'
import type { Lifetime } from './check-times.js'
import type { KeySet } from './key-set.js'
import type { PublicKey } from './public-key.js'

/** A token that was verified, and what has to hold for it to count again. */
export interface VerifiedToken extends Lifetime {
  readonly token: AccessToken
  readonly key: PublicKey
  readonly keys: KeySet
}

/** Verified tokens by their text. Only tokens that verified get in, so a flood of others can push nothing out. */
export interface TokenCache {
  get(raw: string): AccessToken | undefined
  /** The same by a whole `Authorization` header, spelled as it usually is. */
  getByHeader(header: string): AccessToken | undefined
  set(raw: string, verified: VerifiedToken): void
  readonly size: number
}

interface Entry {
  readonly raw: string
  /** The usual header with this token, as one piece: two of those are compared at once. */
  readonly header: string
  readonly verified: VerifiedToken
}

/** @param max how many tokens are kept; 0 keeps none */
export function createTokenCache(max: number, now: () => number): TokenCache {
  if (max === 0) return { get: () => undefined, getByHeader: () => undefined, set() {}, size: 0 }
  const entries = new LRUCache<number, Entry>({ max })

  function usable(place: number, { verified }: Entry): AccessToken | undefined {
    const time = now()
    if (time >= verified.usableFrom && time < verified.usableUntil && verified.keys.holds(verified.key))
      return verified.token
    entries.delete(place)
    return undefined
  }

  return {
    get(raw) {
      const place = placeOf(raw)
      const entry = entries.get(place)
      return entry === undefined || entry.raw !== raw ? undefined : usable(place, entry)
    },
    getByHeader(header) {
      const place = placeOf(header)
      const entry = entries.get(place)
      return entry === undefined || entry.header !== header ? undefined : usable(place, entry)
    },
    set(raw, verified) {
      const header = Buffer.from(`Bearer ${raw}`, 'latin1').toString('latin1')
      entries.set(placeOf(raw), { raw: header.slice(-raw.length), header, verified })
    },
    get size() {
      return entries.size
    },
  }
}

/** Characters at the end of a token that choose its place: they belong to its signature. */
const tailLength = 12

/**
 * A number of 32 bits from the end of a text. To look a token up by all of its text would cost more than the rest of the guard, since
 * V8 hashes a string one character after the other; that two strings are equal costs it next to nothing. Tokens that meet at
 * one place push each other out, and are verified again.
 */
function placeOf(text: string): number {
  let place = 0
  for (let index = Math.max(0, text.length - tailLength); index < text.length; index += 1)
    place = (Math.imul(place, 31) + text.charCodeAt(index)) | 0
  return place
}
