import { createPublicKey } from 'node:crypto'

/** The algorithms of DPoP proofs: asymmetric ones only (RFC 7518 §3.1, RFC 8037 §3.1, RFC 9864 §2.2). */
export const proofAlgorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
] as const

/** RFC 9964: signatures that withstand quantum computers. Node.js has them from version 24.7 on. */
const mlDsaAlgorithms = ['ML-DSA-44', 'ML-DSA-65', 'ML-DSA-87'] as const

export type ProofAlgorithm = (typeof proofAlgorithms)[number]
export type Algorithm = ProofAlgorithm | (typeof mlDsaAlgorithms)[number]

/** The algorithms of access tokens. */
export const supportedAlgorithms: readonly Algorithm[] = [...proofAlgorithms, ...mlDsaAlgorithms]

/** Whether it is an algorithm of RFC 9964. */
export function isMlDsa(algorithm: string): boolean {
  return mlDsaAlgorithms.some(name => name === algorithm)
}

/** Whether this version of Node.js can verify signatures with ML-DSA; found by trying, since builds differ. */
export function hasMlDsa(): boolean {
  try {
    // Any 1312 bytes are a public key of ML-DSA-44 (FIPS 204 §4, table 2).
    const pub = Buffer.alloc(1312).toString('base64url')
    createPublicKey({ key: { kty: 'AKP', alg: 'ML-DSA-44', pub }, format: 'jwk' })
    return true
  } catch {
    return false
  }
}

/**
 * Whether a list has this algorithm. `Ed25519` is the name of RFC 9864 for what `EdDSA` means with an Ed25519 key, the
 * only kind of key that is accepted for it: either name stands for both.
 */
export function includesAlgorithm(list: readonly string[], algorithm: string): boolean {
  return list.includes(algorithm) || (isEd25519(algorithm) && list.some(isEd25519))
}

function isEd25519(algorithm: string): boolean {
  return algorithm === 'EdDSA' || algorithm === 'Ed25519'
}
