import type { ClaimRules } from './check-claims.js'
import type { Claims } from './profiles.js'

/** The profile and the audiences, which some paths contain. */
type NameRules = Pick<ClaimRules, 'profile' | 'audiences'>

/**
 * Finds a claim with scopes, roles or groups that is neither a string nor a list of names. Without this, such a token
 * would look like one without any. null is taken for an absent claim.
 */
export function malformedNames(claims: Claims, { profile, audiences }: NameRules): string | undefined {
  for (const claim of profile.scopes) if (!isScopes(claims[claim])) return claim
  for (const path of [...profile.roles, ...profile.groups])
    if (namesAt(claims, path, audiences) === undefined) return path.join('.')
  return undefined
}

/** A string (RFC 6749 §3.3); some issuers write a list. */
function isScopes(value: unknown): boolean {
  if (value === undefined || value === null || typeof value === 'string') return true
  return Array.isArray(value) && value.every(member => typeof member === 'string')
}

/**
 * The names at a path into the claims; the step `{audience}` stands for each of our own audiences.
 * @returns undefined if something else is there
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

/** RFC 9068 §2.2.3.1 refers to RFC 7643, whose groups, roles and entitlements are objects with the name in `value` (§2.4). */
function nameOf(member: unknown): unknown {
  return typeof member === 'object' && member !== null ? (member as { value?: unknown }).value : member
}
