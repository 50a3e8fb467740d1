import { Buffer } from 'node:buffer'
import { constants, verify, type KeyLike, type KeyObject, type VerifyKeyObjectInput } from 'node:crypto'
import { toDer } from './der-signature.js'
import type { Algorithm } from './public-key.js'

const { RSA_PKCS1_PSS_PADDING, RSA_PSS_SALTLEN_DIGEST } = constants

/** RFC 7518 §3.5: the salt is as long as the hash. */
const pss = { padding: RSA_PKCS1_PSS_PADDING, saltLength: RSA_PSS_SALTLEN_DIGEST }

/** How `node:crypto` is asked; where nothing stands beside the hash, by the bare key, which costs it least. */
interface Parameters {
  /** Null: the algorithm hashes by itself (RFC 8037 §3.1). */
  readonly hash: string | null
  readonly padding?: typeof pss
  /** ECDSA: bytes of r and of s (RFC 7518 §3.4). */
  readonly size?: number
}

const parameters: Readonly<Record<Algorithm, Parameters>> = {
  RS256: { hash: 'sha256' },
  RS384: { hash: 'sha384' },
  RS512: { hash: 'sha512' },
  PS256: { hash: 'sha256', padding: pss },
  PS384: { hash: 'sha384', padding: pss },
  PS512: { hash: 'sha512', padding: pss },
  ES256: { hash: 'sha256', size: 32 },
  ES384: { hash: 'sha384', size: 48 },
  ES512: { hash: 'sha512', size: 66 },
  EdDSA: { hash: null },
}

/** A compact JWS (RFC 7515 §7.1) taken apart. */
export interface Jws {
  /** Header and payload as they were signed. */
  readonly signed: string
  readonly signature: Buffer
}

/** Verifies the signatures of one key and algorithm by `node:crypto`: in place, or in the thread pool. */
export interface SignatureCheck {
  /** Whether the signature fits. */
  fits(jws: Jws): boolean
  /** The same in the thread pool, which @fastify/jwt cannot use. */
  fitsInPool(jws: Jws): Promise<boolean>
}

export function createSignatureCheck(key: KeyObject, algorithm: Algorithm): SignatureCheck {
  const { hash, padding, size } = parameters[algorithm]
  const verifier: KeyLike | VerifyKeyObjectInput = padding === undefined ? key : { key, ...padding }
  const encode = (signature: Buffer): Buffer | undefined =>
    size === undefined ? signature : toDer(signature, size)
  return {
    fits(jws) {
      const signature = encode(jws.signature)
      return signature !== undefined && verify(hash, Buffer.from(jws.signed, 'latin1'), verifier, signature)
    },
    fitsInPool(jws) {
      const signature = encode(jws.signature)
      if (signature === undefined) return Promise.resolve(false)
      return new Promise(resolve => {
        verify(hash, Buffer.from(jws.signed, 'latin1'), verifier, signature, (error, fits) =>
          resolve(error === null && fits),
        )
      })
    },
  }
}
