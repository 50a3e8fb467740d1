import { createPublicKey } from 'node:crypto'

/**
 * The asymmetric signature algorithms that are accepted for DPoP proofs (RFC 7518 §3.1, RFC 8037 §3.1, RFC 9864
 * §2.2).
 */
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

/** The post-quantum signature algorithms of RFC 9964. They require Node.js 24.7 or later. */
const mlDsaAlgorithms = ['ML-DSA-44', 'ML-DSA-65', 'ML-DSA-87'] as const

export type ProofAlgorithm = (typeof proofAlgorithms)[number]
export type Algorithm = ProofAlgorithm | (typeof mlDsaAlgorithms)[number]

/** The signature algorithms that are supported for access tokens. */
export const supportedAlgorithms: readonly Algorithm[] = [...proofAlgorithms, ...mlDsaAlgorithms]

/** Returns whether an algorithm is a variant of ML-DSA (RFC 9964). */
export function isMlDsa(algorithm: string): boolean {
  return mlDsaAlgorithms.some(name => name === algorithm)
}

/**
 * Returns whether this build of Node.js supports ML-DSA. Builds of the same Node.js version can differ, so the function
 * tries to import an ML-DSA key.
 */
export function hasMlDsa(): boolean {
  try {
    // Any 1312 bytes are a valid public key of ML-DSA-44 (FIPS 204 §4, table 2).
    const pub = Buffer.alloc(1312).toString('base64url')
    createPublicKey({ key: { kty: 'AKP', alg: 'ML-DSA-44', pub }, format: 'jwk' })
    return true
  } catch {
    return false
  }
}

/**
 * Returns whether a list of algorithms contains the given algorithm. `Ed25519` (RFC 9864) and `EdDSA` count as the same
 * algorithm, because `EdDSA` is accepted only with Ed25519 keys.
 */
export function includesAlgorithm(list: readonly string[], algorithm: string): boolean {
  return list.includes(algorithm) || (isEd25519(algorithm) && list.some(isEd25519))
}

function isEd25519(algorithm: string): boolean {
  return algorithm === 'EdDSA' || algorithm === 'Ed25519'
}
