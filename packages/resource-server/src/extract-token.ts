import type { IncomingMessage } from 'node:http'

/** The authentication scheme of the token (RFC 9110 §11.4). */
export type Scheme = 'bearer' | 'dpop'

/** The access token of a request. */
export interface Credentials {
  readonly scheme: Scheme
  readonly accessToken: string
  /** The complete value of the `Authorization` header. */
  readonly header: string
}

/** Why there is no token: the request has no credentials, or they are malformed. */
export type NoCredentials = 'missing' | 'malformed'

const usual = 'Bearer '
const space = 0x20
/** The scheme and at least one space (RFC 9110 §11.4). Schemes are case-insensitive (RFC 9110 §11.1). */
const bearer = /^bearer +(?=[^ ])/i
const dpop = /^dpop +(?=[^ ])/i
const bearerAttempt = /^bearer(?:[\s,]|$)/i
const dpopAttempt = /^dpop(?:[\s,]|$)/i

/**
 * Reads the token from the `Authorization` header, and never from the query or a form. Credentials of another scheme
 * count as missing. Without `takesDpop`, that includes DPoP credentials (RFC 9449).
 */
export function extractToken(
  { headers: { authorization: header }, rawHeaders }: IncomingMessage,
  takesDpop: boolean,
): Credentials | NoCredentials {
  if (header === undefined) return 'missing'
  // Node.js drops all but the first Authorization header from `headers`, but `rawHeaders` has all of them.
  if (isRepeated(rawHeaders)) return 'malformed'
  if (header.startsWith(usual) && header.length > usual.length && header.charCodeAt(usual.length) !== space)
    return { scheme: 'bearer', accessToken: header.slice(usual.length), header }
  if (bearerAttempt.test(header)) return read(header, bearer, 'bearer')
  return takesDpop && dpopAttempt.test(header) ? read(header, dpop, 'dpop') : 'missing'
}

/** The token is not validated here, because verification reads every character of it anyway. */
function read(header: string, start: RegExp, scheme: Scheme): Credentials | 'malformed' {
  const [prefix] = start.exec(header) ?? []
  return prefix === undefined ? 'malformed' : { scheme, accessToken: header.slice(prefix.length), header }
}

function isRepeated(rawHeaders: readonly string[]): boolean {
  let seen = false
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]
    if (name?.length !== 13 || !isAuthorization(name)) continue
    if (seen) return true
    seen = true
  }
  return false
}

/** Almost all requests use one of the first two spellings. Comparing them creates no new string. */
function isAuthorization(name: string): boolean {
  return name === 'authorization' || name === 'Authorization' || name.toLowerCase() === 'authorization'
}
