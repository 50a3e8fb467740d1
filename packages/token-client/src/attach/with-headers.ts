import type { Dispatcher } from 'undici'

type Headers = NonNullable<Dispatcher.DispatchOptions['headers']>
type Values = Record<string, string | string[] | undefined>

/** The same request with these headers (names in lower case) in place of its own of that name. It is not changed itself. */
export function withHeaders(
  request: Dispatcher.DispatchOptions,
  added: Readonly<Record<string, string>>,
): Dispatcher.DispatchOptions {
  return { ...request, headers: join(request.headers, added) }
}

/** undici takes headers as an object, as a flat list of names and values, or as anything that yields pairs. */
function join(
  headers: Dispatcher.DispatchOptions['headers'],
  added: Readonly<Record<string, string>>,
): Headers {
  if (headers === null || headers === undefined) return { ...added }
  if (Array.isArray(headers)) return joinList(headers, added)
  if (Symbol.iterator in headers)
    return joinPairs(headers as Iterable<[string, string | string[] | undefined]>, added)
  const joined: Values = { ...headers }
  for (const name of Object.keys(joined)) if (isIn(name, added)) delete joined[name]
  return Object.assign(joined, added)
}

function joinList(list: readonly unknown[], added: Readonly<Record<string, string>>): Headers {
  if (Array.isArray(list[0])) return joinPairs(list as unknown as Iterable<[string, string]>, added)
  const joined: string[] = []
  for (let index = 0; index + 1 < list.length; index += 2)
    if (!isIn(String(list[index]), added)) joined.push(list[index] as string, list[index + 1] as string)
  for (const name of Object.keys(added)) joined.push(name, added[name] as string)
  return joined
}

function joinPairs(
  pairs: Iterable<[string, string | string[] | undefined]>,
  added: Readonly<Record<string, string>>,
): Headers {
  // Without a prototype: `__proto__` is a field name like any other.
  const joined: Values = Object.create(null) as Values
  for (const [name, given = []] of pairs)
    if (!isIn(name, added)) joined[name] = name in joined ? [joined[name] ?? [], given].flat() : given
  return Object.assign(joined, added)
}

function isIn(name: string, added: Readonly<Record<string, string>>): boolean {
  return Object.hasOwn(added, name.toLowerCase())
}
