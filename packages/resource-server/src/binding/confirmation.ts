import type { AccessToken } from '../access-token.js'
import { Refusal } from '../errors.js'

/** What a token is bound to: a key (RFC 9449 §6.1), a certificate (RFC 8705 §3.1), both or neither. */
export interface Confirmation {
  readonly jkt?: string
  readonly 'x5t#S256'?: string
}

const unbound: Confirmation = Object.freeze({})
const verifiable = ['jkt', 'x5t#S256'] as const

/**
 * Reads the claim `cnf`. Members that are unknown are ignored (RFC 7800 §3.1), but one member must be known: otherwise the
 * token is bound in a way that nothing here verifies.
 */
export function confirmationOf({ claims: { cnf } }: AccessToken): Confirmation | Refusal {
  if (cnf === undefined) return unbound
  if (!isConfirmation(cnf))
    return new Refusal('binding', 'the claim cnf binds the token by a method that is not supported')
  return cnf
}

/** For tokens that come without a request: there is no proof or certificate to verify. */
export function refuseBound(token: AccessToken): Refusal | undefined {
  return confirmationOf(token) === unbound
    ? undefined
    : new Refusal(
        'binding',
        'the token is bound to a key, and possession of that key cannot be proved outside a request',
      )
}

function isConfirmation(cnf: unknown): cnf is Confirmation {
  if (typeof cnf !== 'object' || cnf === null) return false
  const known = verifiable.filter(name => Object.hasOwn(cnf, name))
  const values = known.map(name => (cnf as Confirmation)[name] as unknown)
  return known.length > 0 && values.every(value => typeof value === 'string' && value !== '')
}
