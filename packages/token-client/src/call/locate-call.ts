import { OriginNotAllowedError } from '../errors.js'

/** Where the API is. */
export interface ApiBase {
  readonly origin: string
  /** Put before every path; without a slash at its end. */
  readonly path: string
}

/** What a call gets whose path could not be put behind the base. */
export function pathWithoutSlash(path: string): TypeError {
  return new TypeError(`path has to begin with a slash: ${JSON.stringify(path).slice(0, 100)}`)
}

/** The URL of a call: a path below the base, or a whole URL of its origin. @throws {OriginNotAllowedError} */
export function urlOf(input: string | URL, base: ApiBase): URL {
  if (typeof input === 'string' && input.startsWith('/') && !input.startsWith('//'))
    return new URL(base.origin + base.path + input)
  // A relative URL would lose the path of the base, or not: nobody should have to think about it.
  if (typeof input === 'string' && !input.startsWith('//') && !URL.canParse(input))
    throw pathWithoutSlash(input)
  const url = new URL(input, base.origin)
  if (url.origin !== base.origin) throw new OriginNotAllowedError(base.origin, url.origin)
  return url
}
