import { LRUCache } from 'lru-cache'
import type { AccessToken } from '../access-token.js'
import type { ClaimRules } from './check-claims.js'
import { namesAt } from './claim-names.js'
import type { Claims, Profile } from './profiles.js'

/**
 * Creates `request.auth` from verified claims. The result is deeply frozen, because requests with the same token
 * share one object.
 */
export function readAccessToken(claims: Claims, { profile, audiences }: ClaimRules): AccessToken {
  const { iss, sub, exp } = claims as { iss: string; sub?: string; exp: number }
  return Object.freeze({
    issuer: iss,
    subject: sub ?? null,
    clientId: firstString(claims, profile.clientId),
    audience: audienceIn(claims[profile.audience], audiences),
    scopes: scopesIn(claims, profile.scopes),
    roles: namesAtPaths(claims, profile.roles, audiences),
    groups: namesAtPaths(claims, profile.groups, audiences),
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

/**
 * Returns the token's audiences that are configured for its issuer. An audience that is configured only for another
 * issuer is omitted, because this issuer's tokens must not be accepted for that audience.
 */
function audienceIn(value: unknown, audiences: readonly string[]): readonly string[] {
  const named = toList(value)
  const ours = audiences.filter(audience => named.includes(audience))
  return ours.length === audiences.length ? audiences : Object.freeze(ours)
}

function toList(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value]
  return Array.isArray(value) ? value.filter(member => typeof member === 'string') : []
}

const none: readonly string[] = Object.freeze([])

function scopesIn(claims: Claims, names: Profile['scopes']): readonly string[] {
  let found = none
  for (const name of names) {
    const value = claims[name]
    if (value === undefined) continue
    const scopes = typeof value === 'string' ? scopesOf(value) : distinct(toList(value))
    found = found === none ? scopes : distinct([...found, ...scopes])
  }
  return found
}

/** Caches parsed scope strings, because most tokens from an issuer contain one of a few scope strings. */
const lists = new LRUCache<string, readonly string[]>({ max: 256 })

/** RFC 6749 §3.3: scopes are delimited by spaces only. */
function scopesOf(text: string): readonly string[] {
  const known = lists.get(text)
  if (known !== undefined) return known
  const scopes = distinct(text.split(' ').filter(scope => scope !== ''))
  lists.set(text, scopes)
  return scopes
}

function distinct(names: readonly string[]): readonly string[] {
  return Object.freeze([...new Set(names)])
}

/** Roles or groups. */
function namesAtPaths(
  claims: Claims,
  paths: Profile['roles'],
  audiences: ClaimRules['audiences'],
): readonly string[] {
  let found = none
  for (const path of paths)
    if (claims[path[0] ?? ''] !== undefined)
      found = distinct([...found, ...(namesAt(claims, path, audiences) ?? none)])
  return found
}

/**
 * Freezes an object and all nested objects. A loop is used, because recursion would overflow the stack on deeply
 * nested claims.
 */
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
