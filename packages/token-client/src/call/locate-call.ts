import { OriginNotAllowedError } from '../errors.js'
import { checkPath, kindOf } from './check-arguments.js'

/** Where the API is. */
export interface ApiBase {
  readonly origin: string
  /** Put before every path; without a slash at its end. */
  readonly path: string
}

/** The path of a call, put behind the base. @throws {TypeError} when it is none, or leads out of it */
export function pathOf(path: string, base: ApiBase): string {
  checkPath(path)
  if (!path.startsWith('/')) throw pathWithoutSlash(path)
  if (/\.\.|%2e/i.test(path)) below(base, path)
  return base.path + path
}

function pathWithoutSlash(path: string): TypeError {
  return new TypeError(`path has to begin with a slash: ${JSON.stringify(path).slice(0, 100)}`)
}

/** The URL of a call: a path below the base, or a whole URL of its origin. @throws {OriginNotAllowedError} */
export function urlOf(input: string | URL, base: ApiBase): URL {
  if (typeof input !== 'string' && !(input instanceof URL))
    throw new TypeError(
      `fetch wants a path or a URL, and what a Request holds as its second argument, not ${kindOf(input)}`,
    )
  if (typeof input === 'string' && input.startsWith('/') && !input.startsWith('//')) return below(base, input)
  // A relative URL would lose the path of the base, or not: nobody should have to think about it.
  if (typeof input === 'string' && !input.startsWith('//') && !URL.canParse(input))
    throw pathWithoutSlash(input)
  const url = new URL(input, base.origin)
  if (url.origin !== base.origin) throw new OriginNotAllowedError(base.origin, url.origin)
  return url
}

/** Dot segments, as in an identifier that somebody made up, don't lead out of the base. */
function below({ origin, path }: ApiBase, input: string): URL {
  const url = new URL(origin + path + input)
  if (!url.pathname.startsWith(`${path}/`))
    throw new TypeError(`path leads out of ${path}: ${JSON.stringify(input).slice(0, 100)}`)
  return url
}
