import { Buffer } from 'node:buffer'
import { Refusal } from '../errors.js'
import { parseJsonObject } from './json-object.js'
import type { Claims } from '../claims/profiles.js'
import type { Jws } from '../signature/node-signature.js'
import type { SignedToken } from '../signature/verify-signature.js'

/** The JWS header parameters that verification uses (RFC 7515 §4.1). */
export interface TokenHeader {
  readonly alg: string
  readonly kid: string | undefined
  /**
   * The `typ` parameter, in lower case and without the prefix `application/` (RFC 7515 §4.1.9). Null if `typ` is
   * absent.
   */
  readonly type: string | null
}

/** A token that is decoded but not verified yet. */
export interface DecodedToken extends SignedToken {
  readonly header: TokenHeader
  /** The token's header, still base64url-encoded. */
  readonly headerSegment: string
  /** The claims. They must not be trusted until the signature is verified. */
  readonly claims: Claims
}

/**
 * The maximum length of a token in characters. Longer tokens are refused before they are decoded. By default, Node.js
 * itself rejects request headers of this length.
 */
const maxTokenLength = 16_384
const maxKidLength = 1_024

/**
 * Decodes a compact JWS (RFC 7515 §7.1), which must have three segments of canonical base64url. The header and the
 * payload must be JSON objects. Tokens with header parameters that require further processing, such as `crit`, are
 * refused.
 */
export function decodeToken(raw: string, headers: ReadonlyMap<string, TokenHeader>): DecodedToken | Refusal {
  if (raw.length > maxTokenLength)
    return new Refusal('malformed', 'the token is longer than 16384 characters', { kind: 'too long' })
  const first = raw.indexOf('.')
  const second = raw.indexOf('.', first + 1)
  if (first < 1 || second < first + 2 || second === raw.length - 1 || raw.includes('.', second + 1))
    return new Refusal('malformed', 'the token does not have three segments')

  if (hasForeignLetters(raw)) return notCanonical()
  const headerSegment = raw.slice(0, first)
  const payload = decodeSegment(raw.slice(first + 1, second))
  const signature = decodeSegment(raw.slice(second + 1))
  if (payload === undefined || signature === undefined) return notCanonical()
  const header = headers.get(headerSegment) ?? decodeHeader(headerSegment)
  if (header instanceof Refusal) return header
  const claims = parseJsonObject(payload, 'payload')
  return claims instanceof Refusal
    ? claims
    : { raw, header, headerSegment, claims, signed: raw.slice(0, second), signature }
}

/** The header, the claims and the signature of a compact JWS that is not verified yet. */
export interface DecodedSegments {
  readonly header: Claims
  readonly claims: Claims
  readonly jws: Jws
}

/** Decodes a compact JWS as strictly as `decodeToken`, but does not check the header parameters. */
export function decodeSegments(text: string): DecodedSegments | Refusal {
  const segments = hasForeignLetters(text) ? [] : text.split('.').map(decodeSegment)
  const [headerBytes, payloadBytes, signature] = segments
  if (segments.length !== 3 || !headerBytes || !payloadBytes || !signature)
    return new Refusal('malformed', 'the JWS does not have three segments of canonical base64url')
  const [headerObject, claims] = [
    parseJsonObject(headerBytes, 'header'),
    parseJsonObject(payloadBytes, 'payload'),
  ]
  if (headerObject instanceof Refusal) return headerObject
  if (claims instanceof Refusal) return claims
  return { header: headerObject, claims, jws: { signed: text.slice(0, text.lastIndexOf('.')), signature } }
}

function decodeHeader(segment: string): TokenHeader | Refusal {
  const bytes = decodeSegment(segment)
  if (bytes === undefined) return notCanonical()
  const parameters = parseJsonObject(bytes, 'header')
  if (parameters instanceof Refusal) return parameters
  const { alg, kid, typ, crit, b64, zip, enc, cty } = parameters
  if (typeof alg !== 'string')
    return new Refusal('malformed', 'the header parameter alg is missing or not a string', { kind: 'no alg' })
  if (kid !== undefined && (typeof kid !== 'string' || kid.length > maxKidLength))
    return new Refusal('malformed', 'the header parameter kid is not a string of at most 1024 characters', {
      kind: 'invalid kid',
    })
  if (typ !== undefined && typeof typ !== 'string')
    return new Refusal('malformed', 'the header parameter typ is not a string', { kind: 'invalid typ' })
  for (const [name, value] of Object.entries({ crit, b64, zip, enc, cty }))
    if (value !== undefined)
      return new Refusal('malformed', `the header has ${name}, which is not supported in access tokens`, {
        kind: 'unsupported header',
      })
  return { alg, kid, type: typ === undefined ? null : typ.toLowerCase().replace(/^application\//, '') }
}

function notCanonical(): Refusal {
  return new Refusal('malformed', 'a segment of the token is not canonical base64url')
}

/**
 * Returns whether a string has characters that are not base64url but that Node.js would decode anyway: `+`, `/`, and
 * characters outside ASCII.
 */
function hasForeignLetters(text: string): boolean {
  return text.includes('+') || text.includes('/') || Buffer.byteLength(text) !== text.length
}

/** The valid last characters of a base64url segment, indexed by the segment's length modulo 4. */
const lastLetters = ['', undefined, 'AQgw', 'AEIMQUYcgkosw048'] as const

/**
 * Decodes a base64url segment. Returns undefined if the segment has padding, unused bits that are not zero, or invalid
 * characters (RFC 7515 §2, RFC 4648 §3.5). Invalid characters are detected by the length of the result, because Node.js
 * skips them.
 */
function decodeSegment(segment: string): Buffer | undefined {
  const { length } = segment
  const last = lastLetters[(length % 4) as 0 | 1 | 2 | 3]
  if (length === 0 || last === undefined) return undefined
  if (last !== '' && !last.includes(segment.charAt(length - 1))) return undefined
  const bytes = Buffer.from(segment, 'base64url')
  return bytes.length === Math.floor((length * 3) / 4) ? bytes : undefined
}
