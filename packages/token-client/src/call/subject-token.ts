import { isObject, kindOf } from 'declared-options'

/** The caller on whose behalf a token is requested: the incoming request, or its access token as a string. */
export type Subject = string | { readonly headers: { readonly authorization?: string | undefined } }

/**
 * Returns the access token of an incoming request.
 * @throws {TypeError} if the argument is not a request, or the request has no access token
 */
export function subjectTokenOf(subject: Subject): string {
  // Callers in JavaScript can pass a value of any type.
  if (typeof subject !== 'string' && !isObject((subject as { headers?: unknown } | null)?.headers))
    throw new TypeError(
      `onBehalfOf expects the incoming request, or its access token as a string, not ${kindOf(subject)}`,
    )
  const token =
    typeof subject === 'string'
      ? subject
      : /^(?:Bearer|DPoP) +([^\s,]+)$/i.exec(subject.headers.authorization ?? '')?.[1]
  if (token === undefined || token === '')
    throw new TypeError(
      'onBehalfOf expects a request with an access token, or the token itself; check that the route requires a token',
    )
  return token
}
