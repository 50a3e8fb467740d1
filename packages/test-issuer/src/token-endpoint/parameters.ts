import type { IssuerRequest } from '../serve/exchange.js'
import { OAuthError } from './oauth-error.js'

/** The parameters of a request. Only `resource` and `audience` may be repeated (RFC 6749 §3.2, RFC 8707 §2, RFC 8693 §2.1). */
export interface Parameters {
  /** Returns the value of a parameter. An empty value counts as absent (RFC 6749 §3.1). */
  get(name: string): string | undefined
  /** Returns the value of a required parameter. @throws {OAuthError} invalid_request if the parameter is absent */
  need(name: string): string
  all(name: string): readonly string[]
}

const repeatable = new Set(['resource', 'audience'])

/** @throws {OAuthError} invalid_request if the body is not a form or repeats a parameter */
export function readParameters({ headers, body }: IssuerRequest): Parameters {
  const type = headers['content-type']?.split(';')[0]?.trim().toLowerCase()
  if (type !== 'application/x-www-form-urlencoded')
    throw new OAuthError(
      'invalid_request',
      'the content-type of the request is not application/x-www-form-urlencoded',
    )
  const form = new URLSearchParams(body)
  const seen = new Set<string>()
  for (const name of form.keys()) {
    if (seen.has(name) && !repeatable.has(name))
      throw new OAuthError('invalid_request', `the parameter ${name.slice(0, 40)} is repeated`)
    seen.add(name)
  }
  const all = (name: string): string[] => form.getAll(name).filter(value => value !== '')
  return {
    get: name => all(name)[0],
    need(name) {
      const [value] = all(name)
      if (value === undefined) throw new OAuthError('invalid_request', `the parameter ${name} is missing`)
      return value
    },
    all,
  }
}
