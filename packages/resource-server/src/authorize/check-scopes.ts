import type { AccessToken } from '../access-token.js'
import { Refusal } from '../errors.js'
import type { Requirement } from './requirement.js'

/**
 * Compares what a token grants with what a route demands: exact, case-sensitive (RFC 6749 §3.3).
 * @throws {Refusal} when something is missing
 */
export function checkScopes(token: AccessToken, { scopes, match, orRoles, audience }: Requirement): void {
  if (audience !== undefined && !token.audience.includes(audience))
    throw new Refusal('audience', `the route is for the audience ${audience}`)
  if (scopes.length === 0) return
  const granted = token.scopes
  const enough = match === 'all' ? hasAll(granted, scopes) : hasAny(granted, scopes)
  if (enough || hasAny(token.roles, orRoles)) return
  throw new Refusal('scope', `the route demands ${match} of ${scopes.join(' ')}`)
}

function hasAll(granted: readonly string[], wanted: readonly string[]): boolean {
  for (const name of wanted) if (!granted.includes(name)) return false
  return true
}

function hasAny(granted: readonly string[], wanted: readonly string[]): boolean {
  for (const name of wanted) if (granted.includes(name)) return true
  return false
}
