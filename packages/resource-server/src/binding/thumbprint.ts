import { createHash } from 'node:crypto'
import type { Jwk } from '../keys/public-key.js'

/** The required members of a public JWK for each key type, in lexicographic order (RFC 7638 §3.2). */
const members: ReadonlyMap<unknown, readonly string[]> = new Map([
  ['EC', ['crv', 'kty', 'x', 'y']],
  ['OKP', ['crv', 'kty', 'x']],
  ['RSA', ['e', 'kty', 'n']],
])

/**
 * Returns the SHA-256 thumbprint of a JWK (RFC 7638 §3), the value of `jkt` in the claim `cnf`. Returns undefined if
 * the value is not a public key.
 */
export function thumbprintOf(jwk: Jwk): string | undefined {
  const names = members.get(jwk.kty)
  // Only strings are accepted, because JSON.stringify would overflow the stack on deeply nested values.
  if (names?.every(name => typeof jwk[name] === 'string') !== true) return undefined
  const required = Object.fromEntries(names.map(name => [name, jwk[name]]))
  return createHash('sha256').update(JSON.stringify(required)).digest('base64url')
}
