import { kindOf } from 'declared-options'
import { OriginNotAllowedError, pathError } from '../errors.js'
import { checkPath } from './check-arguments.js'
import { refuseDotSegments } from './confine-path.js'

/** The location of the API. */
export interface ApiBase {
  readonly origin: string
  /** The path prefix of every call, without a trailing slash. */
  readonly path: string
}

/**
 * Appends the path of a call to the base path.
 * @throws {TypeError} if the argument is not a path, or could lead outside the base path
 */
export function pathOf(path: string, base: ApiBase): string {
  checkPath(path)
  if (!path.startsWith('/')) throw pathWithoutSlash(path)
  refuseDotSegments(path)
  return base.path + path
}

/**
 * Returns the URL of a call. Accepts a path, which is appended to the base path, or a complete URL with the same
 * origin.
 * @throws {OriginNotAllowedError} if the URL has another origin
 * @throws {TypeError} if the argument is neither a path nor a URL, or contains a `..` segment
 */
export function urlOf(input: string | URL, base: ApiBase): URL {
  if (typeof input === 'string' && input.startsWith('/') && !input.startsWith('//'))
    return new URL(base.origin + pathOf(input, base))
  if (typeof input !== 'string' && !(input instanceof URL))
    throw new TypeError(`fetch expects a path, a URL or a Request, not ${kindOf(input)}`)
  // A relative URL is rejected, because it might replace the base path.
  const reference = typeof input === 'string' && input.startsWith('//') ? base.origin : undefined
  if (typeof input === 'string' && !URL.canParse(input, reference)) throw pathWithoutSlash(input)
  const url = new URL(input, reference)
  if (url.origin !== base.origin) throw new OriginNotAllowedError(base.origin, url.origin)
  refuseDotSegments(typeof input === 'string' ? input : url.pathname)
  return url
}

function pathWithoutSlash(path: string): TypeError {
  return pathError('the path of a call must begin with exactly one slash', path)
}
