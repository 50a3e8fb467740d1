import { isObject, kindOf } from 'declared-options'

/** The subject of an exchanged token: an incoming request, or the text of its access token. */
export type Subject = string | { readonly headers: { readonly authorization?: string | undefined } }

/**
 * Returns the access token of an incoming request.
 * @throws {TypeError} if there is no request, or no access token in it
 */
export function subjectTokenOf(subject: Subject): string {
  // Checked at run time for callers in JavaScript.
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
