import { isPlainObject, show } from 'declared-options'
import { asError } from 'oauth-issuer-connection'
import type { Dispatcher } from 'undici'

export type HeadersInput = Dispatcher.DispatchOptions['headers']
export type HeaderValue = string | string[] | undefined

/**
 * Returns the names and values of the given headers, which can have any form that undici accepts: an object, a flat
 * list, or an iterable of pairs such as `Headers`.
 * @throws {TypeError} for any other value, such as a Promise
 */
export function headerPairs(headers: HeadersInput): Iterable<readonly [string, HeaderValue]> {
  try {
    return pairsOf(headers)
  } catch (thrown) {
    throw asError(thrown) // The caller's iterator or getter may throw a value that is not an Error.
  }
}

/**
 * Returns the value of a header.
 * @param wanted the header name in lower case
 */
export function headerOf(headers: HeadersInput, wanted: string): HeaderValue {
  for (const [name, value] of headerPairs(headers)) if (name.toLowerCase() === wanted) return value
  return undefined
}

function pairsOf(headers: HeadersInput): Iterable<readonly [string, HeaderValue]> {
  if (headers === null || headers === undefined) return []
  if (Array.isArray(headers) && !Array.isArray(headers[0])) return flatPairs(headers)
  // undici also accepts an array of pairs, which is handled like any other iterable.
  if (Symbol.iterator in headers) return [...(headers as Iterable<readonly [string, HeaderValue]>)]
  const pairs = Object.entries(headers)
  if (pairs.length === 0 && !isPlainObject(headers))
    throw new TypeError(`\`headers\` is ${show(headers)}; expected an object, Headers or a list`)
  return pairs
}

function* flatPairs(list: readonly string[]): Generator<readonly [string, HeaderValue]> {
  for (let index = 0; index + 1 < list.length; index += 2) yield [String(list[index]), list[index + 1]]
}
