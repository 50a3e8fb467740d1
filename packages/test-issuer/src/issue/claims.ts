import { createHash } from 'node:crypto'
import type { Claims, TokenContent } from './profile.js'

/**
 * Returns the claims that all profiles share. A single audience becomes a string, and several audiences become a list (RFC 7519
 * §4.1.3).
 */
export function registered({ issuer, audience, issuedAt, expiresAt }: TokenContent): Claims {
  return {
    iss: issuer,
    aud: audience.length === 1 ? audience[0] : audience,
    iat: issuedAt,
    exp: expiresAt,
  }
}

/** Joins scopes with spaces (RFC 6749 §3.3). Returns undefined for an empty list, so that the claim is omitted. */
export function spaced(scopes: readonly string[]): string | undefined {
  return scopes.length === 0 ? undefined : scopes.join(' ')
}

/**
 * Derives an object id from the name of a user or client. The same name always has the same id. A name that is already
 * an object id is returned unchanged, so that token exchange preserves the id.
 */
export function objectId(name: string): string {
  if (/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/.test(name)) return name
  const hex = createHash('sha256').update(name).digest('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}
