/** The algorithms this package can verify: asymmetric ones only (RFC 7518 §3.1, RFC 8037 §3.1, RFC 9864 §2.2). */
export const supportedAlgorithms = [
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

export type Algorithm = (typeof supportedAlgorithms)[number]

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
