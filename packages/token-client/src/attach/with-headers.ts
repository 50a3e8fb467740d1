import type { Dispatcher } from 'undici'
import { headerPairs, type HeadersInput, type HeaderValue } from './header-pairs.js'

type Added = Readonly<Record<string, string>>

/** The request with these headers (names in lower case) instead of its own ones of these names. Changes no argument. */
export function withHeaders(request: Dispatcher.DispatchOptions, added: Added): Dispatcher.DispatchOptions {
  return { ...request, headers: joinHeaders(request.headers, added) }
}

/** Headers in any form that undici takes, with these instead of the ones of the same name. */
export function joinHeaders(headers: HeadersInput, added: Added): Record<string, HeaderValue> {
  if (headers === undefined || headers === null) return { ...added }
  // Without a prototype: `__proto__` is a field name like any other.
  const joined: Record<string, HeaderValue> = Object.create(null) as Record<string, HeaderValue>
  for (const [name, value] of headerPairs(headers))
    if (value !== undefined && !Object.hasOwn(added, name.toLowerCase()))
      joined[name] = name in joined ? [joined[name] ?? [], value].flat() : value
  return Object.assign(joined, added)
}
