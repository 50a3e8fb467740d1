import { createHash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { Refusal } from '../errors.js'
import { decodeSegments, type DecodedSegments } from '../verify/decode-token.js'
import { includesAlgorithm, type Algorithm } from '../keys/algorithms.js'
import { importPublicKey, type Jwk, type PublicKey } from '../keys/public-key.js'
import { verifyHere } from '../signature/node-signature.js'
import { thumbprintOf } from './thumbprint.js'

/** The request and the token that a DPoP proof must match (RFC 9449 §4.3). */
export interface ProofContext {
  /** The request's method. */
  readonly method: string
  /** The request's URL. Its query and its fragment are ignored. */
  readonly url: string
  readonly accessToken: string
  /** The thumbprint of the key to which the access token is bound. */
  readonly boundTo: string
}

/** The values read from a valid DPoP proof. */
export interface Proof {
  /** The thumbprint of the key that signed the proof. */
  readonly thumbprint: string
  readonly jti: string
  readonly nonce: string | undefined
}

/**
 * Checks a DPoP proof. If the token is bound to a different key than the one that signed the proof, the refusal's
 * reason is `binding`. For any other problem, the reason is `proof`.
 */
export type CheckProof = (proof: string, context: ProofContext) => Proof | Refusal

const maxProofLength = 8_192
const maxJtiLength = 256
const keysKept = 1_000
const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k', 'oth']

/** @param maxAgeMs the maximum difference between the proof's claim `iat` and the current time, in milliseconds */
export function createProofCheck(
  algorithms: readonly Algorithm[],
  maxAgeMs: number,
  now: () => number,
): CheckProof {
  /** Caches imported public keys, because importing a key takes longer than all other checks of a DPoP proof. */
  const keys = new LRUCache<string, PublicKey>({ max: keysKept })

  function keyOf(jwk: Jwk, thumbprint: string): PublicKey | Refusal {
    const known = keys.get(thumbprint)
    if (known !== undefined) return known
    try {
      const { kty, crv, x, y, n, e } = jwk
      const key = importPublicKey({ kty, crv, x, y, n, e } as Jwk, algorithms)
      keys.set(thumbprint, key)
      return key
    } catch (error) {
      return wrong((error as Error).message)
    }
  }

  return (text, context) => {
    const decoded = decode(text)
    if (decoded instanceof Refusal) return decoded
    const { header, claims, jws } = decoded
    const { alg, jwk } = header
    if (header['typ'] !== 'dpop+jwt') return wrong('the header parameter typ is not dpop+jwt')
    if (!includesAlgorithm(algorithms, alg as string))
      return wrong('the header parameter alg is not an allowed algorithm')
    const publicKey = publicJwk(jwk)
    if (publicKey instanceof Refusal) return publicKey
    const thumbprint = thumbprintOf(publicKey)
    if (thumbprint === undefined) return wrong('the header parameter jwk is not a public key')
    // The key's thumbprint is compared before the key is imported. Otherwise, an attacker with a stolen token could make the server import any number of keys, which is slow.
    if (thumbprint !== context.boundTo)
      return new Refusal('binding', 'the key in the DPoP proof is not the key that the token is bound to')
    const key = keyOf(publicKey, thumbprint)
    if (key instanceof Refusal) return key
    if (!key.algorithms.includes(alg as Algorithm))
      return wrong('the header parameter alg does not match the key')
    const refusal = checkRequest(claims, context)
    if (refusal !== undefined) return refusal
    const read = readClaims(claims)
    if (read instanceof Refusal) return read
    const { iat, jti, nonce } = read
    if (!(Math.abs(now() - iat * 1000) <= maxAgeMs))
      return wrong('the claim iat is too far from the current time')
    if (!verifyHere(jws, key.keyObject, alg as Algorithm)) return wrong('the signature is invalid')
    return { thumbprint, jti, nonce }
  }
}

type Members = Readonly<Record<string, unknown>>

/**
 * Matches an absolute http or https URL without userinfo (RFC 9110 §4.2.4). The class `URL` would also accept other
 * spellings, such as backslashes.
 */
const httpUri = /^https?:\/\/[^/?#@\\\s]+(?:[/?#][^\\\s]*)?$/i

/** Checks that a DPoP proof was created for this request and this token (RFC 9449 §4.3). */
function checkRequest(
  { htm, htu, ath }: Members,
  { method, url, accessToken }: ProofContext,
): Refusal | undefined {
  if (htm !== method) return wrong('the claim htm does not match the request method')
  const asked = withoutQuery(url)
  if (asked === undefined || typeof htu !== 'string' || !httpUri.test(htu) || withoutQuery(htu) !== asked)
    return wrong('the claim htu does not match the request URL')
  return ath === createHash('sha256').update(accessToken).digest('base64url')
    ? undefined
    : wrong('the claim ath does not match the hash of the access token')
}

function readClaims({ iat, jti, nonce }: Members):
  | {
      iat: number
      jti: string
      nonce: string | undefined
    }
  | Refusal {
  if (typeof jti !== 'string' || jti === '' || jti.length > maxJtiLength)
    return wrong('the claim jti is missing or too long')
  if (typeof iat !== 'number') return wrong('the claim iat is missing')
  if (nonce !== undefined && typeof nonce !== 'string') return wrong('the claim nonce is not a string')
  return { iat, jti, nonce }
}

function decode(text: string): DecodedSegments | Refusal {
  if (text.length > maxProofLength) return wrong(`the proof is longer than ${maxProofLength} characters`)
  const decoded = decodeSegments(text)
  if (decoded instanceof Refusal) return wrong(decoded.detail ?? 'malformed')
  for (const name of ['crit', 'b64', 'zip', 'enc'])
    if (decoded.header[name] !== undefined) return wrong(`the header has ${name}`)
  return decoded
}

/** Returns the public key from a DPoP proof's header. Refuses a key with private members (RFC 9449 §4.2). */
function publicJwk(jwk: unknown): Jwk | Refusal {
  if (typeof jwk !== 'object' || jwk === null || Array.isArray(jwk))
    return wrong('the header parameter jwk is missing')
  if (privateMembers.some(name => Object.hasOwn(jwk, name)))
    return wrong('the header parameter jwk contains a private key')
  return jwk as Jwk
}

/**
 * Normalizes a URL for comparison, and removes its query and its fragment (RFC 9449 §4.3, RFC 3986 §6.2.2 and §6.2.3).
 * @returns the normalized URL, or undefined if the text is not a URL
 */
function withoutQuery(url: string): string | undefined {
  if (!URL.canParse(url)) return undefined
  const { origin, pathname } = new URL(url)
  return origin + pathname.replaceAll(/%[0-9a-f]{2}/gi, plainIfUnreserved)
}

/** Decodes a percent-encoded unreserved character, and converts any other encoding to upper case (RFC 3986 §6.2.2). */
function plainIfUnreserved(encoded: string): string {
  const character = String.fromCharCode(Number.parseInt(encoded.slice(1), 16))
  return /[\w.~-]/.test(character) ? character : encoded.toUpperCase()
}

function wrong(detail: string): Refusal {
  return new Refusal('proof', `the DPoP proof is invalid: ${detail}`)
}
