import type { AccessToken } from '../access-token.js'
import type { ClaimRules } from './check-claims.js'
import type { Claims, Profile } from './profiles.js'

/** Claims that passed every check → what handlers see. Frozen through and through: it is shared between requests. */
export function readAccessToken(claims: Claims, { profile, audiences }: ClaimRules): AccessToken {
  const { iss, sub, exp } = claims as { iss: string; sub?: string; exp: number }
  return Object.freeze({
    issuer: iss,
    subject: sub ?? null,
    clientId: firstString(claims, profile.clientId),
    // Of a token from an issuer, only what that issuer may speak for: another one's audience in it opens no route.
    audience: Object.freeze(toList(claims[profile.audience]).filter(name => audiences.includes(name))),
    scopes: Object.freeze(scopesIn(claims, profile.scopes)),
    roles: Object.freeze(rolesIn(claims, profile.roles, audiences)),
    expiresAt: exp * 1000,
    claims: deepFreeze(claims),
  })
}

function firstString(claims: Claims, names: readonly string[]): string | null {
  for (const name of names) {
    const value = claims[name]
    if (typeof value === 'string') return value
  }
  return null
}

function toList(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value]
  return Array.isArray(value) ? value.filter(member => typeof member === 'string') : []
}

function scopesIn(claims: Claims, names: Profile['scopes']): readonly string[] {
  const scopes: string[] = []
  for (const name of names) if (claims[name] !== undefined) scopes.push(...toScopes(claims[name]))
  return scopes
}

/** RFC 6749 §3.3: delimited by spaces and nothing else; some issuers write a list, whose members are taken whole. */
function toScopes(value: unknown): readonly string[] {
  if (typeof value !== 'string') return toList(value)
  const scopes = value.split(' ')
  return scopes.includes('') ? scopes.filter(scope => scope !== '') : scopes
}

function rolesIn(
  claims: Claims,
  paths: Profile['roles'],
  audiences: ClaimRules['audiences'],
): readonly string[] {
  const roles: string[] = []
  for (const path of paths)
    if (claims[path[0] ?? ''] !== undefined) roles.push(...rolesAt(claims, path, audiences))
  return roles
}

/** The strings at a path into the claims; the step `{audience}` stands for each of our own audiences. */
function rolesAt(
  value: unknown,
  [step, ...rest]: readonly string[],
  audiences: readonly string[],
): readonly string[] {
  if (step === undefined) return toList(value)
  if (typeof value !== 'object' || value === null) return []
  const names = step === '{audience}' ? audiences : [step]
  return names
    .filter(name => Object.hasOwn(value, name))
    .flatMap(name => rolesAt((value as Record<string, unknown>)[name], rest, audiences))
}

/** Without recursion: how deep a claim is nested is not ours to say. */
function deepFreeze<T extends object>(root: T): T {
  const pending: object[] = [root]
  for (let value = pending.pop(); value !== undefined; value = pending.pop()) {
    for (const name in value) {
      const member: unknown = value[name as keyof typeof value]
      if (typeof member === 'object' && member !== null) pending.push(member)
    }
    Object.freeze(value)
  }
  return root
}
