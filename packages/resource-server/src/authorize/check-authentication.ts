import type { AccessToken } from '../access-token.js'
import { Refusal } from '../errors.js'
import type { Requirement } from './requirement.js'

/**
 * Compares how and when the user authenticated with what a route demands (RFC 9470 §3). A token that does not tell is
 * not enough.
 * @returns that the user has to authenticate in a stronger way, or again
 */
export function checkAuthentication(
  { claims }: AccessToken,
  { acr, maxAgeMs }: Requirement,
  { clock, clockToleranceMs }: { clock: () => number; clockToleranceMs: number },
): Refusal | undefined {
  if (acr.length > 0 && !acr.includes(claims['acr'] as string))
    return new Refusal('authentication', `acr is none of ${acr.join(', ')}`)
  if (maxAgeMs === undefined) return undefined
  const { auth_time: authenticatedAt } = claims
  return typeof authenticatedAt === 'number' &&
    clock() <= authenticatedAt * 1000 + maxAgeMs + clockToleranceMs
    ? undefined
    : new Refusal('authentication', `auth_time is not within ${maxAgeMs} ms`)
}
