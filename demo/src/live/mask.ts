import { createHash } from 'node:crypto'
import type { DecodedToken } from './exchange.js'

/** Request headers with credentials, and functions that mask them. */
const masked: Readonly<Record<string, (value: string) => string>> = {
  authorization: maskAuthorization,
  cookie: () => '•••',
}
/** Form fields with credentials (RFC 6749 §2.3.1, RFC 7521 §4.2). */
const secretFields = new Set(['client_secret', 'client_assertion'])
const longestBody = 4_000

export function maskHeader(name: string, value: string): readonly [string, string] {
  return [name, masked[name.toLowerCase()]?.(value) ?? value]
}

/** The claims of a token are shown separately; of client credentials, only the client id is shown. */
function maskAuthorization(value: string): string {
  const [scheme = '', credentials = ''] = value.split(' ')
  if (scheme.toLowerCase() === 'basic') {
    const [client = ''] = Buffer.from(credentials, 'base64').toString().split(':')
    return `Basic ${decodedOr(client)}:•••`
  }
  const [header = ''] = credentials.split('.')
  return `${scheme} ${header.slice(0, 12)}…•••`
}

/** Parameters of a token request that are shown first. */
const askedFor = ['grant_type', 'scope', 'resource', 'audience']

/** Smaller comes first. */
const rank = ([name]: readonly [string, string]): number => askedFor.indexOf(name) + 1 || askedFor.length + 1

/** Returns a request body as text, with masked credentials. The requested grant, scope and resource come first. */
export function maskBody(body: string, contentType: string): string {
  if (!contentType.startsWith('application/x-www-form-urlencoded')) return body.slice(0, longestBody)
  const fields = [...new URLSearchParams(body)]
  return fields
    .toSorted((a, b) => rank(a) - rank(b))
    .map(([name, value]) => `${name}=${secretFields.has(name) ? '•••' : value}`)
    .join('\n&')
    .slice(0, longestBody)
}

/** Decodes the token of an `Authorization` header; undefined if it is not a JWT. */
export function decodeForShow(authorization: string): DecodedToken | undefined {
  const [scheme = '', token = ''] = authorization.split(' ')
  return scheme.toLowerCase() === 'bearer' ? decodeToken(token) : undefined
}

/** Decodes a JWT without its signature; undefined for any other token. */
export function decodeToken(token: string): DecodedToken | undefined {
  const [header, claims] = token.split('.').map(decodePart)
  if (header === undefined || claims === undefined) return undefined
  return { id: createHash('sha256').update(token).digest('hex').slice(0, 16), header, claims }
}

/** Parses a JSON object; undefined for any other text. */
function decodePart(part: string): Record<string, unknown> | undefined {
  try {
    const decoded: unknown = JSON.parse(Buffer.from(part, 'base64url').toString())
    const isObject = typeof decoded === 'object' && decoded !== null && !Array.isArray(decoded)
    return isObject ? (decoded as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

/** Percent-decodes a text; returns it unchanged if that fails. */
function decodedOr(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
