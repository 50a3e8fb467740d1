import { kindOf } from 'declared-options'
import type { RequestInit } from 'undici'
import { hasMembers } from './check-arguments.js'
import { standardOf, toUndiciForm } from './foreign-bodies.js'
import { urlOf, type ApiBase } from './locate-call.js'

/** A `Request` from undici or Node.js. */
export interface RequestLike {
  readonly url: string
  readonly method: string
  readonly headers: object
}

/** The members of `RequestInit` (Fetch Standard §5.3) that undici reads, except `dispatcher`. */
const initMembers = [
  'method',
  'headers',
  'body',
  'mode',
  'credentials',
  'cache',
  'redirect',
  'referrer',
  'referrerPolicy',
  'integrity',
  'keepalive',
  'signal',
  'duplex',
] as const

/**
 * Returns the arguments for undici's `fetch`. Either argument can be a Request. A Request is copied member by member,
 * because its members are getters, and because its class may differ from undici's class.
 * @throws {TypeError}
 */
export function fetchArguments(
  input: string | URL | RequestLike,
  init: RequestInit | RequestLike | null | undefined,
  base: ApiBase,
): [URL, RequestInit] {
  if (init !== undefined && init !== null && !hasMembers(init, initMembers))
    throw new TypeError(`the second argument of fetch is ${kindOf(init)}; expected an object or a Request`)
  if (standardOf(input) !== 'Request') return [urlOf(input as string | URL, base), membersOf(init)]
  const request = input as RequestLike // told by its tag
  return [urlOf(new URL(request.url), base), { ...membersOf(request), ...membersOf(init) }]
}

function membersOf(init: object | null | undefined): RequestInit {
  const members: Record<string, unknown> = {}
  for (const name of initMembers) {
    const value = (init as Readonly<Record<string, unknown>> | null | undefined)?.[name]
    if (value !== undefined) members[name] = value
  }
  if (standardOf(members['body']) === 'FormData') members['body'] = toUndiciForm(members['body'])
  return members
}
