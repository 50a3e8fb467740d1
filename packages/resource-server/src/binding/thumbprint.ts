import { createHash } from 'node:crypto'
import type { Jwk } from '../keys/public-key.js'

/** RFC 7638 §3.2: the members that make a key what it is, in this order. */
const members: ReadonlyMap<unknown, readonly string[]> = new Map([
  ['EC', ['crv', 'kty', 'x', 'y']],
  ['OKP', ['crv', 'kty', 'x']],
  ['RSA', ['e', 'kty', 'n']],
])

/**
 * The JWK thumbprint with SHA-256 (RFC 7638 §3): what `cnf.jkt` holds.
 * @returns undefined for what is no public key
 */
export function thumbprintOf(jwk: Jwk): string | undefined {
  const names = members.get(jwk.kty)
  // What is nested deep enough would be too much for JSON.stringify.
  if (names?.every(name => typeof jwk[name] === 'string') !== true) return undefined
  const required = Object.fromEntries(names.map(name => [name, jwk[name]]))
  return createHash('sha256').update(JSON.stringify(required)).digest('base64url')
}
