import type { AccessToken } from '../access-token.js'
import { Refusal } from '../errors.js'
import { showValue } from '../show-value.js'
import type { Requirement } from './requirement.js'

/** The clock and the tolerated clock skew. Times are in milliseconds. */
export interface Times {
  readonly clock: () => number
  readonly clockToleranceMs: number
}

/**
 * Checks whether the claims `acr` and `auth_time` satisfy the route's requirement (RFC 9470 §3). A token without a
 * required claim fails the check.
 * @returns the refusal, or undefined if the token meets the requirement
 */
export function checkAuthentication(
  { claims }: AccessToken,
  { acr, maxAgeMs }: Requirement,
  { clock, clockToleranceMs }: Times,
): Refusal | undefined {
  if (acr.length > 0 && !acr.includes(claims['acr'] as string))
    return new Refusal('authentication', `acr is ${showValue(claims['acr'])}; expected ${acr.join(' or ')}`)
  if (maxAgeMs === undefined) return undefined
  const { auth_time: authenticatedAt } = claims
  return typeof authenticatedAt === 'number' &&
    clock() <= authenticatedAt * 1000 + maxAgeMs + clockToleranceMs
    ? undefined
    : new Refusal(
        'authentication',
        `auth_time is ${showValue(authenticatedAt)}; expected a time within the last ${maxAgeMs} ms`,
      )
}
