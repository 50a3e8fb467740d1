import { isUtf8 } from 'node:buffer'
import { Refusal } from '../errors.js'
import { parseJsonObject } from './json-object.js'
import type { Claims } from './profiles.js'

/** The header parameters that verification looks at (RFC 7515 §4.1). */
export interface TokenHeader {
  readonly alg: string
  readonly kid: string | undefined
  /** `typ`, lower case and without the optional `application/` (RFC 7515 §4.1.9); null when absent. */
  readonly type: string | null
}

/** A token taken apart and not yet trusted. */
export interface DecodedToken {
  readonly raw: string
  readonly header: TokenHeader
  /** The header as it stands in the token. */
  readonly headerSegment: string
  /** Not to be believed before the signature has been verified. */
  readonly claims: Claims
}

/** No header a server accepts by default is larger; a longer token is refused before any work is done on it. */
const maxTokenLength = 16_384
const maxKidLength = 1_024

/**
 * Takes a compact JWS apart (RFC 7515 §7.1), strictly: three segments of canonical base64url, a JSON object as
 * header and as payload, nothing in it that asks for processing that an access token must not need.
 */
export function decodeToken(raw: string, headers: Map<string, TokenHeader>): DecodedToken {
  if (raw.length > maxTokenLength) throw new Refusal('malformed', 'the token is longer than 16384 characters')
  const first = raw.indexOf('.')
  const second = raw.indexOf('.', first + 1)
  if (first < 1 || second < first + 2 || second === raw.length - 1 || raw.includes('.', second + 1))
    throw new Refusal('malformed', 'the token has not three segments')

  const headerSegment = raw.slice(0, first)
  const payloadSegment = raw.slice(first + 1, second)
  if (!isCanonical(payloadSegment) || !isCanonical(raw.slice(second + 1)))
    throw new Refusal('malformed', 'a segment is not canonical base64url')
  const payload = Buffer.from(payloadSegment, 'base64url')
  if (!isUtf8(payload)) throw new Refusal('malformed', 'the payload is not UTF-8')
  const header = headers.get(headerSegment) ?? decodeHeader(headerSegment)
  return { raw, header, headerSegment, claims: parseJsonObject(payload, 'payload') }
}

/** The JSON objects of a compact JWS, read as strictly, and not looked at. @throws {Refusal} */
export function decodeSegments(text: string): { header: Claims; claims: Claims } {
  const segments = text.split('.')
  const [header = '', payload = ''] = segments
  if (segments.length !== 3 || !segments.every(isCanonical))
    throw new Refusal('malformed', 'it is not three segments of canonical base64url')
  const [headerBytes, payloadBytes] = [header, payload].map(segment => Buffer.from(segment, 'base64url'))
  if (headerBytes === undefined || payloadBytes === undefined || ![headerBytes, payloadBytes].every(isUtf8))
    throw new Refusal('malformed', 'it is not UTF-8')
  return { header: parseJsonObject(headerBytes, 'header'), claims: parseJsonObject(payloadBytes, 'payload') }
}

function decodeHeader(segment: string): TokenHeader {
  if (!isCanonical(segment)) throw new Refusal('malformed', 'a segment is not canonical base64url')
  const bytes = Buffer.from(segment, 'base64url')
  if (!isUtf8(bytes)) throw new Refusal('malformed', 'the header is not UTF-8')
  const { alg, kid, typ, crit, b64, zip, enc, cty } = parseJsonObject(bytes, 'header')
  if (typeof alg !== 'string') throw new Refusal('malformed', 'the header has no alg')
  if (kid !== undefined && (typeof kid !== 'string' || kid.length > maxKidLength))
    throw new Refusal('malformed', 'kid is not a string')
  if (typ !== undefined && typeof typ !== 'string') throw new Refusal('malformed', 'typ is not a string')
  for (const [name, value] of Object.entries({ crit, b64, zip, enc, cty }))
    if (value !== undefined)
      throw new Refusal('malformed', `the header has ${name}, which no access token needs`)
  return { alg, kid, type: typ === undefined ? null : typ.toLowerCase().replace(/^application\//, '') }
}

const base64url = /^[A-Za-z0-9_-]+$/
/** Last characters that leave no bit of the last byte over, by the length of the segment modulo 4. */
const lastOf = { 2: /[AQgw]$/, 3: /[AEIMQUYcgkosw048]$/ } as const

/** One spelling per byte string (RFC 7515 §2, RFC 4648 §3.5): no padding, no other alphabet, no spare bits. */
function isCanonical(segment: string): boolean {
  if (!base64url.test(segment)) return false
  const rest = segment.length % 4
  if (rest === 0) return true
  if (rest === 1) return false
  return lastOf[rest as 2 | 3].test(segment)
}
