import { pathError } from '../errors.js'

/** The maximum number of times that a path is percent-decoded. A path that needs more decoding is rejected. */
const maxDecodings = 4

/** Matches every path that may contain an encoded `..` segment. Most paths do not match and need no further check. */
const suspicious = /\.[.%]|\.[^!-~]|%(?:2[5e]|u|c[01]|e[01]|ef)|[^ -~\t\n\r]/i

/** Matches overlong UTF-8 sequences and fullwidth characters, which some servers convert to `.`, `/` or `\`. */
const lookalikes: readonly (readonly [RegExp, string])[] = [
  [/\xC0\xAE|\xE0\x80\xAE|\xEF\xBC\x8E/g, '.'],
  [/\xC0\xAF|\xE0\x80\xAF|\xEF\xBC\x8F/g, '/'],
  [/\xC1\x9C|\xE0\x81\x9C|\xEF\xBC\xBC/g, '\\'],
]

/**
 * Throws if a path contains a `..` segment in any encoding. Servers and proxies decode paths differently, so such a
 * segment could lead outside the path of `baseUrl`. Encoded slashes in other segments are allowed.
 * @throws {TypeError}
 */
export function refuseDotSegments(path: string): void {
  if (!suspicious.test(path)) return
  const [beforeQuery = ''] = path.split('?')
  let spelled = Buffer.from(beforeQuery).toString('latin1')
  for (let decodings = 0; decodings <= maxDecodings; decodings += 1) {
    if (hasDotSegment(spelled)) throw pathError('the path of a call must not contain .. segments', path)
    const decoded = decodeOnce(spelled)
    if (decoded === spelled) return
    spelled = decoded
  }
  throw pathError(`the path of a call is percent-encoded more than ${maxDecodings} times`, path)
}

/** Percent-decodes a path once. A `%` that does not begin a valid encoding is kept. */
function decodeOnce(text: string): string {
  return text.replaceAll(/%u00([0-9a-f]{2})|%([0-9a-f]{2})/gi, (_, unicode?: string, byte?: string) =>
    String.fromCodePoint(Number.parseInt(unicode ?? byte ?? '', 16)),
  )
}

/**
 * Returns true if a path contains a `..` segment. Like some servers and URL parsers, this function ignores control
 * characters, spaces and path parameters (RFC 3986 §3.3).
 */
function hasDotSegment(bytes: string): boolean {
  let text = bytes
  for (const [pattern, plain] of lookalikes) text = text.replaceAll(pattern, plain)
  return text
    .split(/[/\\]/)
    .some(segment => segment.split(/[;#?]/, 1)[0]?.replaceAll(/[\0- \x7F\xA0]/g, '') === '..')
}
