import type { AccessToken } from '../access-token.js'
import { Refusal } from '../errors.js'
import type { Requirement } from './requirement.js'

/**
 * Checks that a token meets a requirement for scopes, roles and audience. Names of scopes and roles are case-sensitive
 * (RFC 6749 §3.3). If a scope includes other scopes, it grants them too. If a requirement lists both scopes and roles,
 * the token needs either the scopes or one of the roles.
 * @returns a refusal that lists the required and the granted names, or undefined if the token meets the requirement
 */
export function checkScopes(
  token: Pick<AccessToken, 'audience' | 'scopes' | 'roles'>,
  requirement: Requirement,
): Refusal | undefined {
  const { acceptedScopes, match, roles, audience } = requirement
  if (audience !== undefined && !token.audience.includes(audience))
    return new Refusal(
      'audience',
      `the route requires the audience ${audience}; the token has the audiences ${list(token.audience)}`,
    )
  if (acceptedScopes.length === 0 && roles.length === 0) return undefined
  const { scopes } = token
  const enough = match === 'all' ? hasEach(scopes, acceptedScopes) : hasSome(scopes, acceptedScopes)
  if ((enough && acceptedScopes.length > 0) || hasAny(token.roles, roles)) return undefined
  return new Refusal(
    'scope',
    `${describe(requirement)}; the token has the scopes ${list(scopes)} and the roles ${list(token.roles)}`,
  )
}

const described = new WeakMap<Requirement, string>()

function describe(requirement: Requirement): string {
  let text = described.get(requirement)
  if (text === undefined) described.set(requirement, (text = demandOf(requirement)))
  return text
}

function demandOf({ scopes, match, roles }: Requirement): string {
  const alternatives = [
    ...(scopes.length === 0 ? [] : [`${match} of the scopes ${list(scopes)}`]),
    ...(roles.length === 0 ? [] : [`any of the roles ${list(roles)}`]),
  ]
  return `the route requires ${alternatives.join(', or ')}`
}

/** Formats names for the log. Long lists are truncated, because a token can have hundreds of roles. */
function list(names: readonly string[]): string {
  if (names.length > 20) return `[${names.slice(0, 20).join(' ').slice(0, 500)} …]`
  return `[${names.join(' ').slice(0, 500)}]`
}

function hasEach(granted: readonly string[], wanted: readonly (readonly string[])[]): boolean {
  for (const names of wanted) if (!hasAny(granted, names)) return false
  return true
}

function hasSome(granted: readonly string[], wanted: readonly (readonly string[])[]): boolean {
  for (const names of wanted) if (hasAny(granted, names)) return true
  return false
}

function hasAny(granted: readonly string[], wanted: readonly string[]): boolean {
  for (const name of wanted) if (granted.includes(name)) return true
  return false
}
