import type { AccessToken } from '../access-token.js'
import { Refusal } from '../errors.js'
import type { Requirement } from './requirement.js'

/**
 * Compares what a token grants with what a route demands: exact, case-sensitive (RFC 6749 §3.3).
 * @returns what is missing
 */
export function checkScopes(
  token: AccessToken,
  { scopes, match, orRoles, audience }: Requirement,
): Refusal | undefined {
  if (audience !== undefined && !token.audience.includes(audience))
    return new Refusal('audience', `the route is for the audience ${audience}`)
  if (scopes.length === 0) return undefined
  const granted = token.scopes
  const enough = match === 'all' ? hasAll(granted, scopes) : hasAny(granted, scopes)
  return enough || hasAny(token.roles, orRoles)
    ? undefined
    : new Refusal('scope', `the route demands ${match} of ${scopes.join(' ')}`)
}

function hasAll(granted: readonly string[], wanted: readonly string[]): boolean {
  for (const name of wanted) if (!granted.includes(name)) return false
  return true
}

function hasAny(granted: readonly string[], wanted: readonly string[]): boolean {
  for (const name of wanted) if (granted.includes(name)) return true
  return false
}
