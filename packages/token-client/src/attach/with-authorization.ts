import type { Dispatcher } from 'undici'
import type { Token } from '../token.js'

/** The same request with the token, replacing any `Authorization` it had. The caller's headers stay as they are. */
export function withAuthorization(
  request: Dispatcher.DispatchOptions,
  { accessToken }: Token,
): Dispatcher.DispatchOptions {
  return { ...request, headers: addHeader(request.headers, `Bearer ${accessToken}`) }
}

type Headers = NonNullable<Dispatcher.DispatchOptions['headers']>

/** undici takes headers as an object, as a flat list of names and values, or as anything that yields pairs. */
function addHeader(headers: Dispatcher.DispatchOptions['headers'], value: string): Headers {
  if (headers === null || headers === undefined) return { authorization: value }
  if (Array.isArray(headers)) return addToList(headers, value)
  if (Symbol.iterator in headers)
    return addToPairs(headers as Iterable<[string, string | string[] | undefined]>, value)
  const added: Record<string, string | string[] | undefined> = {}
  for (const name of Object.keys(headers))
    if (!isAuthorization(name)) added[name] = (headers as typeof added)[name]
  added['authorization'] = value
  return added
}

function addToList(list: readonly unknown[], value: string): Headers {
  if (Array.isArray(list[0])) return addToPairs(list as unknown as Iterable<[string, string]>, value)
  const added: string[] = []
  for (let index = 0; index + 1 < list.length; index += 2)
    if (!isAuthorization(String(list[index]))) added.push(list[index] as string, list[index + 1] as string)
  added.push('authorization', value)
  return added
}

function addToPairs(pairs: Iterable<[string, string | string[] | undefined]>, value: string): Headers {
  const added: Record<string, string | string[] | undefined> = {}
  for (const [name, given] of pairs) if (!isAuthorization(name)) added[name] = given
  added['authorization'] = value
  return added
}

function isAuthorization(name: string): boolean {
  return name.length === 13 && name.toLowerCase() === 'authorization'
}
