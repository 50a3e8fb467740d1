import type { IncomingMessage } from 'node:http'

/** The authentication scheme by which a token came (RFC 9110 §11.4). */
export type Scheme = 'bearer' | 'dpop'

/** The one access token of a request. */
export interface Credentials {
  readonly scheme: Scheme
  readonly accessToken: string
  /** The `Authorization` header as it came. */
  readonly header: string
}

/** Why a request has no credentials: it brought none, or what it brought cannot be read. */
export type NoCredentials = 'missing' | 'malformed'

const usual = 'Bearer '
const space = 0x20
/** One space or more before the token (RFC 9110 §11.4). Schemes are case-insensitive (RFC 9110 §11.1). */
const bearer = /^bearer +(?=[^ ])/i
const dpop = /^dpop +(?=[^ ])/i
const bearerAttempt = /^bearer(?:[\s,]|$)/i
const dpopAttempt = /^dpop(?:[\s,]|$)/i

/**
 * Reads from the `Authorization` header and from nowhere else: never from the query or a form. Credentials of another
 * scheme count as none, those with DPoP (RFC 9449) too unless `takesDpop`.
 */
export function extractToken(
  { headers: { authorization: header }, rawHeaders }: IncomingMessage,
  takesDpop: boolean,
): Credentials | NoCredentials {
  if (header === undefined) return 'missing'
  // Node keeps the first of several Authorization headers; the raw list still has them all.
  if (isRepeated(rawHeaders)) return 'malformed'
  if (header.startsWith(usual) && header.length > usual.length && header.charCodeAt(usual.length) !== space)
    return { scheme: 'bearer', accessToken: header.slice(usual.length), header }
  if (bearerAttempt.test(header)) return read(header, bearer, 'bearer')
  return takesDpop && dpopAttempt.test(header) ? read(header, dpop, 'dpop') : 'missing'
}

/** Verification looks at every character of the token anyway, so it is not validated here. */
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

/** Most requests have one of the first two spellings, and comparing them needs no new string. */
function isAuthorization(name: string): boolean {
  return name === 'authorization' || name === 'Authorization' || name.toLowerCase() === 'authorization'
}
