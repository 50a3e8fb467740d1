import { InvalidCallError } from './errors.js'

type Values = Readonly<Record<string, unknown>>

/**
 * Builds the path and query of a request. Rejects path parameters that contain slashes or are dot segments. Some servers and
 * proxies decode `%2F` and resolve dot segments before routing, so the request could reach a different operation with the
 * caller's token.
 */
export function pathOf(operation: string, path: string, params: Values, query: Values): string {
  const filled = path.replaceAll(/:(\w+)/g, (_, name: string) => {
    const value = textOf(operation, name, params[name])
    if (/^\.{0,2}$|[/\\]|\p{Surrogate}/u.test(value))
      throw new InvalidCallError(`${operation}: ${name}`, value, 'one segment of a path')
    return encodeURIComponent(value)
  })
  const pairs = Object.entries(query).flatMap(([name, value]) =>
    (Array.isArray(value) ? (value as unknown[]) : [value])
      .filter(item => item !== undefined)
      .map(item => [name, textOf(operation, name, item)]),
  )
  return pairs.length === 0 ? filled : `${filled}?${String(new URLSearchParams(pairs as [string, string][]))}`
}

function textOf(operation: string, name: string, value: unknown): string {
  if (['string', 'boolean'].includes(typeof value) || Number.isFinite(value)) return String(value)
  throw new InvalidCallError(`${operation}: ${name}`, value, 'a string, a number or a boolean')
}
