import { createHash, createPublicKey } from 'node:crypto'
import { makeKey, signRaw, type SigningKey } from './hand-made-issuer.js'

/** A client's key, with its thumbprint (RFC 7638) put together by hand. */
export interface ProofKey extends SigningKey {
  readonly publicJwk: Record<string, unknown>
  readonly thumbprint: string
}

export function makeProofKey(algorithm: 'ES256' | 'EdDSA' | 'RS256' | 'PS256' = 'ES256'): ProofKey {
  const key = makeKey(undefined, algorithm)
  const jwk = createPublicKey(key.privateKey).export({ format: 'jwk' })
  const { kty, crv, x, y, n, e } = jwk
  const members = kty === 'RSA' ? { e, kty, n } : kty === 'EC' ? { crv, kty, x, y } : { crv, kty, x }
  return {
    ...key,
    publicJwk: members,
    thumbprint: createHash('sha256').update(JSON.stringify(members)).digest('base64url'),
  }
}

export const hashOf = (token: string): string => createHash('sha256').update(token).digest('base64url')

/** A DPoP proof (RFC 9449 §4.2) with exactly these members. */
export function makeProof(
  key: ProofKey,
  claims: Record<string, unknown>,
  header: Record<string, unknown> = {},
): string {
  return signRaw({ typ: 'dpop+jwt', alg: key.algorithm, jwk: key.publicJwk, ...header }, claims, key)
}
