/**
 * `EdDSA` (RFC 8037) and `Ed25519` (RFC 9864) name the same algorithm for a key on this curve, so a signature under
 * either name is valid whichever name the JWK has in `alg`. Returns the JWK without the `alg` that would rule one out.
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
