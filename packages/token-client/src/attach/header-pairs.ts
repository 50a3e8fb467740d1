import type { Dispatcher } from 'undici'

export type HeadersInput = Dispatcher.DispatchOptions['headers']
export type HeaderValue = string | string[] | undefined

/** Names and values, in any form that undici takes: an object, a flat list, or an iterable of pairs such as `Headers`. */
export function headerPairs(headers: HeadersInput): Iterable<readonly [string, HeaderValue]> {
  if (headers === null || headers === undefined) return []
  if (Array.isArray(headers) && !Array.isArray(headers[0])) return flatPairs(headers)
  // undici's types say so, and the list of pairs that undici takes too is an iterable.
  if (Symbol.iterator in headers) return headers as Iterable<readonly [string, HeaderValue]>
  return Object.entries(headers)
}

function* flatPairs(list: readonly string[]): Generator<readonly [string, HeaderValue]> {
  for (let index = 0; index + 1 < list.length; index += 2) yield [String(list[index]), list[index + 1]]
}
