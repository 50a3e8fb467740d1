/**
 * Removes `alg` from an Ed25519 JWK, so that the key can verify tokens with either name of the algorithm in their
 * header: `EdDSA` (RFC 8037) or `Ed25519` (RFC 9864).
 */
export function acceptBothEd25519Names<Jwk extends object>(jwk: Jwk): Jwk {
  const { crv, alg } = jwk as { crv?: unknown; alg?: unknown }
  if (crv !== 'Ed25519' || !isEd25519Name(alg)) return jwk
  return { ...jwk, alg: undefined }
}

export function isSameAlgorithm(one: string, other: string | undefined): boolean {
  return one === other || (isEd25519Name(one) && isEd25519Name(other))
}

function isEd25519Name(name: unknown): boolean {
  return name === 'EdDSA' || name === 'Ed25519'
}
