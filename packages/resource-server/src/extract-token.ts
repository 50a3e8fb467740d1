import type { IncomingMessage } from 'node:http'

/** The authentication scheme with which a token was sent (RFC 9110 §11.4). */
export type Scheme = 'bearer' | 'dpop'

/** An access token from a request's `Authorization` header. */
export interface Credentials {
  readonly scheme: Scheme
  readonly accessToken: string
  /** The complete value of the `Authorization` header. */
  readonly header: string
}

/** Why no token could be read from a request: it contains no credentials, or its credentials are malformed. */
export type NoCredentials = 'missing' | 'malformed'

const usual = 'Bearer '
const space = 0x20
/** Matches the authentication scheme, which is case-insensitive, and the spaces after it (RFC 9110 §11.1 and §11.4). */
const bearer = /^bearer +(?=[^ ])/i
const dpop = /^dpop +(?=[^ ])/i
const bearerAttempt = /^bearer(?:[\s,]|$)/i
const dpopAttempt = /^dpop(?:[\s,]|$)/i

/**
 * Reads the token from the `Authorization` header, and never from the query string or a form. The authentication scheme
 * must be `Bearer` or, if `takesDpop` is true, `DPoP` (RFC 9449). With any other scheme, the token counts as missing.
 */
export function extractToken(
  { headers: { authorization: header }, rawHeaders }: IncomingMessage,
  takesDpop: boolean,
): Credentials | NoCredentials {
  if (header === undefined) return 'missing'
  // `headers` contains only the first Authorization header, whereas `rawHeaders` contains all of them.
  if (isRepeated(rawHeaders)) return 'malformed'
  if (header.startsWith(usual) && header.length > usual.length && header.charCodeAt(usual.length) !== space)
    return { scheme: 'bearer', accessToken: header.slice(usual.length), header }
  if (bearerAttempt.test(header)) return read(header, bearer, 'bearer')
  return takesDpop && dpopAttempt.test(header) ? read(header, dpop, 'dpop') : 'missing'
}

/** Extracts the token without validating its characters, because they are validated during verification. */
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

function isAuthorization(name: string): boolean {
  return name === 'authorization' || name === 'Authorization' || name.toLowerCase() === 'authorization'
}
