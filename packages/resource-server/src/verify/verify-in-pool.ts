import { constants, verify, type KeyObject } from 'node:crypto'
import type { Algorithm } from './public-key.js'

const { RSA_PKCS1_PSS_PADDING, RSA_PKCS1_PADDING, RSA_PSS_SALTLEN_DIGEST } = constants

/** RFC 7518 §3.3–§3.5: RSASSA-PKCS1-v1_5, RSASSA-PSS with a salt as long as the hash, ECDSA as r‖s. */
const rsa = { padding: RSA_PKCS1_PADDING }
const pss = { padding: RSA_PKCS1_PSS_PADDING, saltLength: RSA_PSS_SALTLEN_DIGEST }
const ecdsa = { dsaEncoding: 'ieee-p1363' } as const

const parameters = {
  RS256: ['sha256', rsa],
  RS384: ['sha384', rsa],
  RS512: ['sha512', rsa],
  PS256: ['sha256', pss],
  PS384: ['sha384', pss],
  PS512: ['sha512', pss],
  ES256: ['sha256', ecdsa],
  ES384: ['sha384', ecdsa],
  ES512: ['sha512', ecdsa],
  // RFC 8037 §3.1: Ed25519 hashes by itself.
  EdDSA: [null, {}],
} as const satisfies Record<Algorithm, unknown>

/**
 * Verifies the signature of a compact JWS in the thread pool; resolves to whether it fits. @fastify/jwt cannot leave
 * the main thread, so here `node:crypto` does the same.
 */
export function verifyInPool(key: KeyObject, algorithm: Algorithm, token: string): Promise<boolean> {
  const [hash, options] = parameters[algorithm]
  const end = token.lastIndexOf('.')
  const signed = Buffer.from(token.slice(0, end), 'latin1')
  const signature = Buffer.from(token.slice(end + 1), 'base64url')
  return new Promise(resolve => {
    verify(hash, signed, { key, ...options }, signature, (error, fits) => resolve(error === null && fits))
  })
}
