import type { SentToken } from './exchange.js'

/** Request headers that hold credentials, and how they are shown. */
const masked: Readonly<Record<string, (value: string) => string>> = {
  authorization: maskAuthorization,
  cookie: () => '•••',
}
/** Form fields that hold credentials (RFC 6749 §2.3.1, RFC 7521 §4.2). */
const secretFields = new Set(['client_secret', 'client_assertion'])
const longestBody = 4_000

export function maskHeader(name: string, value: string): readonly [string, string] {
  return [name, masked[name.toLowerCase()]?.(value) ?? value]
}

/** A token is shown by its claims, elsewhere; a client by its name. */
function maskAuthorization(value: string): string {
  const [scheme = '', credentials = ''] = value.split(' ')
  if (scheme.toLowerCase() === 'basic') {
    const [client = ''] = Buffer.from(credentials, 'base64').toString().split(':')
    return `Basic ${decodedOr(client)}:•••`
  }
  const [header = ''] = credentials.split('.')
  return `${scheme} ${header.slice(0, 12)}…•••`
}

/** A request body as text, without what a form keeps secret. */
export function maskBody(body: string, contentType: string): string {
  if (!contentType.startsWith('application/x-www-form-urlencoded')) return body.slice(0, longestBody)
  return [...new URLSearchParams(body)]
    .map(([name, value]) => `${name}=${secretFields.has(name) ? '•••' : value}`)
    .join('\n&')
    .slice(0, longestBody)
}

/** The header and the claims of a token; undefined for anything that is no JWT. */
export function decodeForShow(authorization: string): Omit<SentToken, 'cached'> | undefined {
  const [scheme = '', token = ''] = authorization.split(' ')
  const [header = '', claims = ''] = token.split('.')
  if (scheme.toLowerCase() !== 'bearer') return undefined
  const decoded = { header: decodePart(header), claims: decodePart(claims) }
  return decoded.header && decoded.claims && { header: decoded.header, claims: decoded.claims }
}

/** A JSON object; undefined for any other text. */
function decodePart(part: string): Record<string, unknown> | undefined {
  try {
    const decoded: unknown = JSON.parse(Buffer.from(part, 'base64url').toString())
    const isObject = typeof decoded === 'object' && decoded !== null && !Array.isArray(decoded)
    return isObject ? (decoded as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

/** Percent-decoded, or as it came where that is impossible. */
function decodedOr(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
