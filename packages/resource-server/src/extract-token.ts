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

/** Why no token was extracted: the request has no credentials, or its credentials are malformed. */
export type NoCredentials = 'missing' | 'malformed'

const usual = 'Bearer '
const space = 0x20
/** Matches the scheme and at least one space (RFC 9110 §11.4). Schemes are case-insensitive (RFC 9110 §11.1). */
const bearer = /^bearer +(?=[^ ])/i
const dpop = /^dpop +(?=[^ ])/i
const bearerAttempt = /^bearer(?:[\s,]|$)/i
const dpopAttempt = /^dpop(?:[\s,]|$)/i

/**
 * Reads the token from the `Authorization` header, but never from the query string or a form. If the header has another
 * authentication scheme, the token counts as missing. The scheme `DPoP` (RFC 9449) is only accepted with `takesDpop`.
 */
export function extractToken(
  { headers: { authorization: header }, rawHeaders }: IncomingMessage,
  takesDpop: boolean,
): Credentials | NoCredentials {
  if (header === undefined) return 'missing'
  // `headers` contains only the first Authorization header, but `rawHeaders` contains all of them.
  if (isRepeated(rawHeaders)) return 'malformed'
  if (header.startsWith(usual) && header.length > usual.length && header.charCodeAt(usual.length) !== space)
    return { scheme: 'bearer', accessToken: header.slice(usual.length), header }
  if (bearerAttempt.test(header)) return read(header, bearer, 'bearer')
  return takesDpop && dpopAttempt.test(header) ? read(header, dpop, 'dpop') : 'missing'
}

/** Does not validate the token's characters, because verification reads all of them later. */
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

/** Compares with the two usual spellings first, because `toLowerCase` would create a new string. */
function isAuthorization(name: string): boolean {
  return name === 'authorization' || name === 'Authorization' || name.toLowerCase() === 'authorization'
}
