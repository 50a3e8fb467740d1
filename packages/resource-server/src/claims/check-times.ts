import { Refusal } from '../errors.js'
import type { Claims } from './profiles.js'

/** How strictly times are taken, in milliseconds. */
export interface TimeRules {
  readonly clockToleranceMs: number
  readonly maxTokenAgeMs: number
}

/**
 * Checks `exp`, `nbf` and `iat`, whose types are right (RFC 7519 §4.1.4 to §4.1.6). `now` in milliseconds; what is no
 * time is within none.
 * @returns the first rule that does not hold
 */
export function checkTimes(
  claims: Claims,
  { clockToleranceMs, maxTokenAgeMs }: TimeRules,
  now: number,
): Refusal | undefined {
  const { exp, nbf, iat } = claims as { exp: number; nbf?: number; iat?: number }
  if (!(now < exp * 1000 + clockToleranceMs)) return new Refusal('expired', 'exp is in the past')
  if (nbf !== undefined && now < nbf * 1000 - clockToleranceMs)
    return new Refusal('not_yet_valid', 'nbf is in the future')
  if (iat !== undefined && now < iat * 1000 - clockToleranceMs)
    return new Refusal('not_yet_valid', 'iat is in the future')
  if (maxTokenAgeMs === Infinity) return undefined
  if (iat === undefined) return new Refusal('claim', 'the claim iat is missing, and maxTokenAgeMs needs it')
  return now < iat * 1000 + maxTokenAgeMs + clockToleranceMs
    ? undefined
    : new Refusal('expired', 'the token is older than maxTokenAgeMs')
}

/** When `checkTimes` has nothing to say against a token. */
export interface Lifetime {
  /** Milliseconds since the epoch; before that, it is not valid yet. */
  readonly usableFrom: number
  /** Milliseconds since the epoch; from then on, it is past its time. */
  readonly usableUntil: number
}

/** The lifetime of a token whose claims were checked. */
export function lifetimeOf(claims: Claims, { clockToleranceMs, maxTokenAgeMs }: TimeRules): Lifetime {
  const { exp, nbf = 0, iat } = claims as { exp: number; nbf?: number; iat?: number }
  const aged = iat === undefined ? Infinity : iat * 1000 + maxTokenAgeMs
  return {
    usableFrom: Math.max(nbf, iat ?? 0) * 1000 - clockToleranceMs,
    usableUntil: Math.min(exp * 1000, aged) + clockToleranceMs,
  }
}
