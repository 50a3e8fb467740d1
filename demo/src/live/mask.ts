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
    return `Basic ${decodeURIComponent(client)}:•••`
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
  try {
    return { header: decodePart(header), claims: decodePart(claims) }
  } catch {
    return undefined
  }
}

function decodePart(part: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown>
}
