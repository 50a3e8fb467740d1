import type { AccessToken } from '../access-token.js'
import { Refusal } from '../errors.js'

/** The key (RFC 9449 §6.1) and the certificate (RFC 8705 §3.1) to which a token is bound, if any. */
export interface Confirmation {
  readonly jkt?: string
  readonly 'x5t#S256'?: string
}

const unbound: Confirmation = Object.freeze({})
const verifiable = ['jkt', 'x5t#S256'] as const

/**
 * Reads the claim `cnf`. Unknown members are ignored (RFC 7800 §3.1). If all members are unknown, the token is refused,
 * because its binding cannot be verified.
 */
export function confirmationOf({ claims: { cnf } }: AccessToken): Confirmation | Refusal {
  if (cnf === undefined) return unbound
  if (!isConfirmation(cnf))
    return new Refusal(
      'binding',
      'the cnf claim of the token has no supported confirmation method (jkt or x5t#S256)',
    )
  return cnf
}

/** Refuses tokens that are bound to a key or a certificate, because possession cannot be proved outside a request. */
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
