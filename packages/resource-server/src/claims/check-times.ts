import { Refusal } from '../errors.js'
import type { Claims } from './profiles.js'

/** The clock tolerance and the maximum token age, in milliseconds. */
export interface TimeRules {
  readonly clockToleranceMs: number
  readonly maxTokenAgeMs: number
}

/** The claims about times. */
export interface Times {
  readonly exp: number
  readonly nbf?: number
  readonly iat?: number
}

/** Checks a claim that contains a time and whose type has already been checked. `now` is in milliseconds. */
export type CheckTime = (times: Times, rules: TimeRules, now: number) => Refusal | undefined

/** RFC 7519 §4.1.4. */
export const checkExpiry: CheckTime = ({ exp }, { clockToleranceMs }, now) =>
  now < exp * 1000 + clockToleranceMs ? undefined : new Refusal('expired', 'the claim exp is in the past')

/** RFC 7519 §4.1.5. */
export const checkNotBefore: CheckTime = ({ nbf }, { clockToleranceMs }, now) =>
  nbf !== undefined && now < nbf * 1000 - clockToleranceMs
    ? new Refusal('not_yet_valid', 'the claim nbf is in the future')
    : undefined

/** RFC 7519 §4.1.6. */
export const checkIssuedAt: CheckTime = ({ iat }, { clockToleranceMs }, now) =>
  iat !== undefined && now < iat * 1000 - clockToleranceMs
    ? new Refusal('not_yet_valid', 'the claim iat is in the future')
    : undefined

export const checkAge: CheckTime = ({ iat }, { clockToleranceMs, maxTokenAgeMs }, now) => {
  if (maxTokenAgeMs === Infinity) return undefined
  if (iat === undefined)
    return new Refusal('claim', 'the claim iat is missing, but the option maxTokenAgeMs requires it')
  return now < iat * 1000 + maxTokenAgeMs + clockToleranceMs
    ? undefined
    : new Refusal('expired', 'the token is older than the option maxTokenAgeMs allows')
}

/** The period in which a token is valid according to its time claims. */
export interface Lifetime {
  /** The start of the period (inclusive), in milliseconds since the epoch. */
  readonly usableFrom: number
  /** The end of the period (exclusive), in milliseconds since the epoch. */
  readonly usableUntil: number
}

/** Computes the period in which a token is valid. The types of the claims have already been checked. */
export function lifetimeOf(claims: Claims, { clockToleranceMs, maxTokenAgeMs }: TimeRules): Lifetime {
  const { exp, nbf = 0, iat } = claims as { exp: number; nbf?: number; iat?: number }
  const aged = iat === undefined ? Infinity : iat * 1000 + maxTokenAgeMs
  return {
    usableFrom: Math.max(nbf, iat ?? 0) * 1000 - clockToleranceMs,
    usableUntil: Math.min(exp * 1000, aged) + clockToleranceMs,
  }
}
