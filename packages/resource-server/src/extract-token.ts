import type { IncomingMessage } from 'node:http'

/** What a request brought instead of one bearer token. */
export type NoToken = { readonly missing: true } | { readonly malformed: true }

const missing: NoToken = { missing: true }
const malformed: NoToken = { malformed: true }

/** RFC 6750 §2.1: `Bearer`, one space, a b64token. The scheme is case-insensitive (RFC 9110 §11.1). */
const bearer = /^bearer ([A-Za-z0-9\-._~+/]+=*)$/i
const bearerAttempt = /^bearer(?:[\s,]|$)/i

/**
 * Reads the bearer token from the `Authorization` header (RFC 6750 §2.1), and from nowhere else: never from the
 * query or a form. Credentials of another scheme count as none.
 */
export function extractBearerToken(request: IncomingMessage): string | NoToken {
  const header = request.headers.authorization
  if (header === undefined) return missing
  // Node keeps the first of several Authorization headers; the raw list still has them all.
  if (isRepeated(request.rawHeaders)) return malformed
  const token = bearer.exec(header)?.[1]
  if (token !== undefined) return token
  return bearerAttempt.test(header) ? malformed : missing
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
