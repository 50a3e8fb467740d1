import type { AccessToken } from '../access-token.js'
import type { Refusal } from '../errors.js'
import type { Outcome } from '../outcome.js'
import type { Lifetime } from './check-times.js'
import type { KeySet } from './key-set.js'
import type { PublicKey } from './public-key.js'
import { createTokenMap } from './token-map.js'

/** A token that was verified, and what has to hold for it to count again. */
export interface VerifiedToken extends Lifetime {
  readonly token: AccessToken
  readonly key: PublicKey
  readonly keys: KeySet
}

/** A token that came too late. */
export interface ExpiredToken {
  readonly refusal: Refusal
  /** Milliseconds since the epoch; from then on, its time is over. */
  readonly since: number
}

/**
 * What tokens came to that will come again: those that verified, and those that came too late, which a client sends over
 * and over that keeps its token for too long. The latter have room of their own: nobody has verified them, and a flood
 * of them must not push a good token out.
 */
export interface TokenCache {
  /** What the token came to, where that still holds. */
  get(raw: string): Outcome | undefined
  /** The same by a whole `Authorization` header, spelled as it usually is. */
  getByHeader(header: string): Outcome | undefined
  /** @param header the whole `Authorization` header it came in, where that is at hand */
  setVerified(raw: string, verified: VerifiedToken, header?: string): void
  setExpired(raw: string, expired: ExpiredToken, header?: string): void
  /** How many verified tokens are at hand. */
  readonly size: number
}

/** Texts of expired tokens together: anybody can send them, as long as a token may be. */
const mostExpiredCharacters = 1_000_000

/** @param max how many tokens of either kind are kept; 0 keeps none */
export function createTokenCache(max: number, now: () => number): TokenCache {
  if (max === 0)
    return { get: () => undefined, getByHeader: () => undefined, setVerified() {}, setExpired() {}, size: 0 }
  const verified = createTokenMap<VerifiedToken>(max)
  const expired = createTokenMap<ExpiredToken>(max, mostExpiredCharacters)

  function stillGood(text: string, known: VerifiedToken | undefined): AccessToken | undefined {
    if (known === undefined) return undefined
    const time = now()
    if (time >= known.usableFrom && time < known.usableUntil && known.keys.holds(known.key, time))
      return known.token
    verified.delete(text)
    return undefined
  }

  const stillLate = (known: ExpiredToken | undefined): Refusal | undefined =>
    known !== undefined && now() >= known.since ? known.refusal : undefined

  return {
    get: raw => stillGood(raw, verified.get(raw)) ?? stillLate(expired.get(raw)),
    getByHeader: header =>
      stillGood(header, verified.getByHeader(header)) ?? stillLate(expired.getByHeader(header)),
    setVerified: (raw, known, header) => verified.set(raw, known, header),
    setExpired: (raw, known, header) => expired.set(raw, known, header),
    get size() {
      return verified.size
    },
  }
}
