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

/** Verifies the signatures of one key and algorithm by `node:crypto`: in place, or in the thread pool. */
export interface SignatureCheck {
  /** Whether the signature of a compact JWS fits. */
  fits(token: string): boolean
  /** The same in the thread pool, which @fastify/jwt cannot use. */
  fitsInPool(token: string): Promise<boolean>
}

export function createSignatureCheck(key: KeyObject, algorithm: Algorithm): SignatureCheck {
  const [hash, options] = parameters[algorithm]
  const keyed = { key, ...options }
  return {
    fits(token) {
      const { signed, signature } = partsOf(token)
      return verify(hash, signed, keyed, signature)
    },
    fitsInPool(token) {
      const { signed, signature } = partsOf(token)
      return new Promise(resolve => {
        verify(hash, signed, keyed, signature, (error, fits) => resolve(error === null && fits))
      })
    },
  }
}

function partsOf(token: string): { signed: Buffer; signature: Buffer } {
  const end = token.lastIndexOf('.')
  return {
    signed: Buffer.from(token.slice(0, end), 'latin1'),
    signature: Buffer.from(token.slice(end + 1), 'base64url'),
  }
}
