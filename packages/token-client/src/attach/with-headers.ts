import type { Dispatcher } from 'undici'
import { headerPairs, type HeadersInput, type HeaderValue } from './header-pairs.js'

type Added = Readonly<Record<string, string>>

/**
 * Returns a copy of the request with additional headers. An additional header replaces an existing header of the same
 * name.
 */
export function withHeaders(request: Dispatcher.DispatchOptions, added: Added): Dispatcher.DispatchOptions {
  return { ...request, headers: joinHeaders(request.headers, added) }
}

/**
 * Adds headers to existing headers. The existing headers can have any form that undici accepts. An added header
 * replaces an existing header of the same name.
 * @param added the additional headers, with names in lower case
 */
export function joinHeaders(headers: HeadersInput, added: Added): Record<string, HeaderValue> {
  if (headers === undefined || headers === null) return { ...added }
  // The object has no prototype, so that a header can be named `__proto__`, which is a valid header name.
  const joined: Record<string, HeaderValue> = Object.create(null) as Record<string, HeaderValue>
  for (const [name, value] of headerPairs(headers))
    if (value !== undefined && !Object.hasOwn(added, name.toLowerCase()))
      joined[name] = name in joined ? [joined[name] ?? [], value].flat() : value
  return Object.assign(joined, added)
}
