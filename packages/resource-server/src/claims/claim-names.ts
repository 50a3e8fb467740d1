import type { ClaimRules } from './check-claims.js'
import type { Claims } from './profiles.js'

/**
 * Where an issuer's tokens contain scopes, roles and groups. The configured audiences are needed because, in Keycloak's
 * tokens, the path of the roles contains the audience.
 */
type NameRules = Pick<ClaimRules, 'profile' | 'audiences'>

/**
 * Looks for a claim with scopes, roles or groups whose value has the wrong type, and returns the name of the first such
 * claim. A token with such a claim must be refused, because the claim would otherwise be read as an empty list. A claim
 * with the value `null` counts as absent.
 */
export function malformedNames(claims: Claims, { profile, audiences }: NameRules): string | undefined {
  for (const claim of profile.scopes) if (!isScopes(claims[claim])) return claim
  for (const path of [...profile.roles, ...profile.groups])
    if (namesAt(claims, path, audiences) === undefined) return path.join('.')
  return undefined
}

/**
 * Returns whether a value is a valid list of scopes. RFC 6749 §3.3 requires a space-delimited string, but some
 * issuers use an array.
 */
function isScopes(value: unknown): boolean {
  if (value === undefined || value === null || typeof value === 'string') return true
  return Array.isArray(value) && value.every(member => typeof member === 'string')
}

/**
 * Reads the names of roles or groups at a path in the claims. The path segment `{audience}` matches each configured
 * audience.
 * @returns undefined if the value at the path is neither a name nor a list of names
 */
export function namesAt(
  value: unknown,
  [step, ...rest]: readonly string[],
  audiences: readonly string[],
): readonly string[] | undefined {
  if (value === undefined || value === null) return []
  if (step === undefined) return namesIn(value)
  if (typeof value !== 'object' || Array.isArray(value)) return undefined
  const found: string[] = []
  for (const name of step === '{audience}' ? audiences : [step]) {
    if (!Object.hasOwn(value, name)) continue
    const names = namesAt((value as Claims)[name], rest, audiences)
    if (names === undefined) return undefined
    found.push(...names)
  }
  return found
}

function namesIn(value: unknown): readonly string[] | undefined {
  if (typeof value === 'string') return [value]
  if (!Array.isArray(value)) return undefined
  const names = value.map(nameOf)
  return names.every(name => typeof name === 'string') ? names : undefined
}

/**
 * Returns the name of a role or group. RFC 9068 §2.2.3.1 allows SCIM objects, whose member `value` contains the name
 * (RFC 7643 §2.4).
 */
function nameOf(member: unknown): unknown {
  return typeof member === 'object' && member !== null ? (member as { value?: unknown }).value : member
}
