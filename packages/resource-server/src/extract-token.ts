import type { IncomingMessage } from 'node:http'
import type { Outcome } from './outcome.js'

/** The one access token of a request, and by which scheme it came (RFC 9110 §11.4). */
export interface Credentials {
  readonly scheme: 'bearer' | 'dpop'
  readonly accessToken: string
  /** The header as a whole, where it is spelled as it usually is. */
  readonly header?: string
  /** What such a token came to before, where that still holds. */
  readonly known?: Outcome | undefined
}

/** What the token of an `Authorization` header, spelled as it usually is, came to before, where that still holds. */
export type Recall = (header: string) => Outcome | undefined

/** What a request brought instead: nothing, or what cannot be read. */
export type NoCredentials = 'missing' | 'malformed'

/** One space before the token (RFC 6750 §2.1, RFC 9449 §7.1). Schemes are case-insensitive (RFC 9110 §11.1). */
const usual = 'Bearer '
const bearer = /^bearer ./i
const dpop = /^dpop ./i
const bearerAttempt = /^bearer(?:[\s,]|$)/i
const dpopAttempt = /^dpop(?:[\s,]|$)/i

/**
 * Reads from the `Authorization` header and from nowhere else: never from the query or a form. Credentials of another
 * scheme count as none, those with DPoP (RFC 9449) too unless they are taken.
 */
export function extractToken(
  { headers: { authorization: header }, rawHeaders }: IncomingMessage,
  takesDpop: boolean,
  recall: Recall,
): Credentials | NoCredentials {
  if (header === undefined) return 'missing'
  // Node keeps the first of several Authorization headers; the raw list still has them all.
  if (isRepeated(rawHeaders)) return 'malformed'
  if (header.startsWith(usual) && header.length > usual.length)
    return { scheme: 'bearer', accessToken: header.slice(usual.length), header, known: recall(header) }
  if (bearerAttempt.test(header)) return read(header, bearer, 'bearer')
  return takesDpop && dpopAttempt.test(header) ? read(header, dpop, 'dpop') : 'missing'
}

/** By which scheme a request brought a token; `bearer` where it brought none. */
export function schemeOf(message: IncomingMessage, takesDpop: boolean): Credentials['scheme'] {
  if (!takesDpop) return 'bearer'
  const credentials = extractToken(message, takesDpop, () => undefined)
  return typeof credentials === 'string' ? 'bearer' : credentials.scheme
}

/** What follows the space is for verification to read: it looks at every letter anyway. */
function read(header: string, start: RegExp, scheme: Credentials['scheme']): Credentials | 'malformed' {
  return start.test(header) ? { scheme, accessToken: header.slice(scheme.length + 1) } : 'malformed'
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

/** The two usual spellings are compared as they are: most requests have one of them. */
function isAuthorization(name: string): boolean {
  return name === 'authorization' || name === 'Authorization' || name.toLowerCase() === 'authorization'
}
