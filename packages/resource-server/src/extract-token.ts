import type { IncomingMessage } from 'node:http'

/** The one access token of a request, and by which scheme it came (RFC 9110 §11.4). */
export interface Credentials {
  readonly scheme: 'bearer' | 'dpop'
  readonly accessToken: string
}

/** What a request brought instead: nothing, or what cannot be read. */
export type NoCredentials = 'missing' | 'malformed'

/** Whether a token has been verified before: then its letters have been looked at. */
export type IsKnown = (accessToken: string) => boolean

const usualScheme = 'Bearer '

/** One space, a b64token (RFC 6750 §2.1, RFC 9449 §7.1). Schemes are case-insensitive (RFC 9110 §11.1). */
const bearer = /^bearer ([A-Za-z0-9\-._~+/]+=*)$/i
const dpop = /^dpop ([A-Za-z0-9\-._~+/]+=*)$/i
const bearerAttempt = /^bearer(?:[\s,]|$)/i
const dpopAttempt = /^dpop(?:[\s,]|$)/i

/**
 * Reads from the `Authorization` header and from nowhere else: never from the query or a form. Credentials of another
 * scheme count as none, those with DPoP (RFC 9449) too unless they are taken.
 */
export function extractToken(
  { headers: { authorization: header }, rawHeaders }: IncomingMessage,
  takesDpop: boolean,
  isKnown: IsKnown,
): Credentials | NoCredentials {
  if (header === undefined) return 'missing'
  // Node keeps the first of several Authorization headers; the raw list still has them all.
  if (isRepeated(rawHeaders)) return 'malformed'
  if (header.startsWith(usualScheme)) {
    const accessToken = header.slice(usualScheme.length)
    if (isKnown(accessToken)) return { scheme: 'bearer', accessToken }
  }
  const token = bearer.exec(header)?.[1]
  if (token !== undefined) return { scheme: 'bearer', accessToken: token }
  if (bearerAttempt.test(header)) return 'malformed'
  if (!takesDpop || !dpopAttempt.test(header)) return 'missing'
  const bound = dpop.exec(header)?.[1]
  return bound === undefined ? 'malformed' : { scheme: 'dpop', accessToken: bound }
}

function isRepeated(rawHeaders: readonly string[]): boolean {
  let seen = false
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]
    if (name?.length !== 13 || name.toLowerCase() !== 'authorization') continue
    if (seen) return true
    seen = true
  }
  return false
}
