import { pathError } from '../errors.js'

/** The maximum number of percent-decodings. A path that needs more is refused. */
const maxDecodings = 4

/** Matches every path that may contain an encoded `..` segment. Most paths do not match and need no further check. */
const suspicious = /\.[.%]|\.[^!-~]|%(?:2[5e]|u|c[01]|e[01]|ef)|[^ -~\t\n\r]/i

/** Overlong UTF-8 sequences and fullwidth characters that some servers convert to `.`, `/` or `\`. */
const lookalikes: readonly (readonly [RegExp, string])[] = [
  [/\xC0\xAE|\xE0\x80\xAE|\xEF\xBC\x8E/g, '.'],
  [/\xC0\xAF|\xE0\x80\xAF|\xEF\xBC\x8F/g, '/'],
  [/\xC1\x9C|\xE0\x81\x9C|\xEF\xBC\xBC/g, '\\'],
]

/**
 * Refuses a path with a `..` segment in any encoding. Servers and proxies decode paths differently, so such a segment
 * could leave the path of `baseUrl`. Encoded slashes are otherwise allowed.
 * @throws {TypeError}
 */
export function refuseDotSegments(path: string): void {
  if (!suspicious.test(path)) return
  const [beforeQuery = ''] = path.split('?')
  let spelled = Buffer.from(beforeQuery).toString('latin1')
  for (let decodings = 0; decodings <= maxDecodings; decodings += 1) {
    if (hasDotSegment(spelled)) throw pathError('the path of a call must not contain `..` segments', path)
    const decoded = decodeOnce(spelled)
    if (decoded === spelled) return
    spelled = decoded
  }
  throw pathError(`the path of a call is percent-encoded more than ${maxDecodings} times`, path)
}

/** Decodes a path once. Keeps a `%` that encodes nothing. */
function decodeOnce(text: string): string {
  return text.replaceAll(/%u00([0-9a-f]{2})|%([0-9a-f]{2})/gi, (_, unicode?: string, byte?: string) =>
    String.fromCodePoint(Number.parseInt(unicode ?? byte ?? '', 16)),
  )
}

/**
 * Finds `..` segments. Ignores what servers and URL parsers ignore: control characters, spaces, and path parameters
 * (RFC 3986 §3.3).
 */
function hasDotSegment(bytes: string): boolean {
  let text = bytes
  for (const [pattern, plain] of lookalikes) text = text.replaceAll(pattern, plain)
  return text
    .split(/[/\\]/)
    .some(segment => segment.split(/[;#?]/, 1)[0]?.replaceAll(/[\0- \x7F\xA0]/g, '') === '..')
}
