import type { AccessToken } from '../access-token.js'
import { checkScopes } from './check-scopes.js'
import type { Requirement } from './requirement.js'

type Granted = Pick<AccessToken, 'audience' | 'scopes' | 'roles'>

/**
 * Returns whether every token that satisfies the access rule `rule` also satisfies the access rule `other`. If a scope
 * includes other scopes, a token with that scope counts as having all of them.
 */
export function implies(rule: Requirement, other: Requirement): boolean {
  return (
    (other.dpop !== 'require' || rule.dpop === 'require') &&
    impliesAuthentication(rule, other) &&
    leastTokens(rule).every(token => checkScopes(token, other) === undefined)
  )
}

function impliesAuthentication(rule: Requirement, { acr, maxAgeMs }: Requirement): boolean {
  const impliesAcr = acr.length === 0 || (rule.acr.length > 0 && rule.acr.every(value => acr.includes(value)))
  return impliesAcr && (maxAgeMs === undefined || (rule.maxAgeMs ?? Infinity) <= maxAgeMs)
}

/**
 * Returns a minimal token for each way in which an access rule can be satisfied: for example, one token for each
 * accepted role.
 */
function leastTokens({ scopes, match, roles, audience }: Requirement): readonly Granted[] {
  const grant = (granted: readonly string[], role: readonly string[]): Granted => ({
    audience: audience === undefined ? [] : [audience],
    scopes: granted,
    roles: role,
  })
  const sets = match === 'any' ? scopes.map(scope => [scope]) : scopes.length === 0 ? [] : [scopes]
  const tokens = [...sets.map(granted => grant(granted, [])), ...roles.map(role => grant([], [role]))]
  return tokens.length === 0 ? [grant([], [])] : tokens
}
