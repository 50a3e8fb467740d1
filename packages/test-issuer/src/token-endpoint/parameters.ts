import type { IssuerRequest } from '../serve/exchange.js'
import { OAuthError } from './oauth-error.js'

/** The parameters of a request: at most one value each, but for targets (RFC 6749 §3.2, RFC 8707 §2, RFC 8693 §2.1). */
export interface Parameters {
  /** A parameter's value; an empty one counts as absent (RFC 6749 §3.1). */
  get(name: string): string | undefined
  /** @throws {OAuthError} invalid_request when it is absent */
  need(name: string): string
  all(name: string): readonly string[]
}

const repeatable = new Set(['resource', 'audience'])

/** @throws {OAuthError} invalid_request when the body is no form, or names a parameter twice */
export function readParameters({ headers, body }: IssuerRequest): Parameters {
  const type = headers['content-type']?.split(';')[0]?.trim().toLowerCase()
  if (type !== 'application/x-www-form-urlencoded')
    throw new OAuthError(
      'invalid_request',
      'the content-type of the request is not application/x-www-form-urlencoded',
    )
  const form = new URLSearchParams(body)
  const given = (name: string): string[] => form.getAll(name).filter(value => value !== '')
  for (const name of new Set(form.keys()))
    if (form.getAll(name).length > 1 && !repeatable.has(name))
      throw new OAuthError('invalid_request', `the parameter ${name.slice(0, 40)} is there more than once`)
  return {
    get: name => given(name)[0],
    need(name) {
      const [value] = given(name)
      if (value === undefined) throw new OAuthError('invalid_request', `the parameter ${name} is missing`)
      return value
    },
    all: given,
  }
}
