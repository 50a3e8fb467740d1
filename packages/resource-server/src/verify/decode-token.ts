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
export function decodeToken(raw: string, headers: Map<string, TokenHeader>): DecodedToken | Refusal {
  if (raw.length > maxTokenLength)
    return new Refusal('malformed', 'the token is longer than 16384 characters')
  const first = raw.indexOf('.')
  const second = raw.indexOf('.', first + 1)
  if (first < 1 || second < first + 2 || second === raw.length - 1 || raw.includes('.', second + 1))
    return new Refusal('malformed', 'the token has not three segments')

  const headerSegment = raw.slice(0, first)
  const payload = decodeSegment(raw.slice(first + 1, second))
  if (payload === undefined || decodeSegment(raw.slice(second + 1)) === undefined)
    return new Refusal('malformed', 'a segment is not canonical base64url')
  if (!isUtf8(payload)) return new Refusal('malformed', 'the payload is not UTF-8')
  const header = headers.get(headerSegment) ?? decodeHeader(headerSegment)
  if (header instanceof Refusal) return header
  const claims = parseJsonObject(payload, 'payload')
  return claims instanceof Refusal ? claims : { raw, header, headerSegment, claims }
}

/** The JSON objects of a compact JWS, read as strictly, and not looked at. */
export function decodeSegments(text: string): { header: Claims; claims: Claims } | Refusal {
  const segments = text.split('.').map(decodeSegment)
  const [headerBytes, payloadBytes] = segments
  if (segments.length !== 3 || segments.includes(undefined) || !headerBytes || !payloadBytes)
    return new Refusal('malformed', 'it is not three segments of canonical base64url')
  if (![headerBytes, payloadBytes].every(isUtf8)) return new Refusal('malformed', 'it is not UTF-8')
  const [headerObject, claims] = [
    parseJsonObject(headerBytes, 'header'),
    parseJsonObject(payloadBytes, 'payload'),
  ]
  if (headerObject instanceof Refusal) return headerObject
  return claims instanceof Refusal ? claims : { header: headerObject, claims }
}

function decodeHeader(segment: string): TokenHeader | Refusal {
  const bytes = decodeSegment(segment)
  if (bytes === undefined) return new Refusal('malformed', 'a segment is not canonical base64url')
  if (!isUtf8(bytes)) return new Refusal('malformed', 'the header is not UTF-8')
  const parameters = parseJsonObject(bytes, 'header')
  if (parameters instanceof Refusal) return parameters
  const { alg, kid, typ, crit, b64, zip, enc, cty } = parameters
  if (typeof alg !== 'string') return new Refusal('malformed', 'the header has no alg')
  if (kid !== undefined && (typeof kid !== 'string' || kid.length > maxKidLength))
    return new Refusal('malformed', 'kid is not a string')
  if (typ !== undefined && typeof typ !== 'string') return new Refusal('malformed', 'typ is not a string')
  for (const [name, value] of Object.entries({ crit, b64, zip, enc, cty }))
    if (value !== undefined)
      return new Refusal('malformed', `the header has ${name}, which no access token needs`)
  return { alg, kid, type: typ === undefined ? null : typ.toLowerCase().replace(/^application\//, '') }
}

/** Last letters that leave no bit of the last byte over, by the length of the segment modulo 4. */
const lastLetters = ['', undefined, 'AQgw', 'AEIMQUYcgkosw048'] as const

/**
 * One spelling per byte string (RFC 7515 §2, RFC 4648 §3.5): no padding, no other alphabet, no spare bits. Node drops what
 * is no letter of base64, so that less comes out, takes those of the other alphabet, and of a letter beyond Latin-1 the last
 * byte.
 */
function decodeSegment(segment: string): Buffer | undefined {
  const { length } = segment
  const last = lastLetters[(length % 4) as 0 | 1 | 2 | 3]
  if (length === 0 || last === undefined || segment.includes('+') || segment.includes('/')) return undefined
  if (last !== '' && !last.includes(segment.charAt(length - 1))) return undefined
  if (Buffer.byteLength(segment) !== length) return undefined
  const bytes = Buffer.from(segment, 'base64url')
  return bytes.length === Math.floor((length * 3) / 4) ? bytes : undefined
}
