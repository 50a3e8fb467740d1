import type { JsonWebKey } from 'node:crypto'
import { EmbeddedJWK } from 'jose/jwk/embedded'
import { calculateJwkThumbprint } from 'jose/jwk/thumbprint'
import { jwtVerify } from 'jose/jwt/verify'
import { OAuthError } from './oauth-error.js'

/** What a proof has to be about. */
export interface ProofTarget {
  readonly method: string
  readonly url: string
  readonly now: () => number
  readonly once: (id: string) => boolean
}

/** How old a proof may be, in seconds. */
const maxAge = 60

/**
 * Checks a DPoP proof (RFC 9449 §4.3) and gives the public key's JWK, to which the token will be bound.
 * @throws {OAuthError} invalid_dpop_proof
 */
export async function readDpopProof(proof: string, target: ProofTarget): Promise<JsonWebKey> {
  try {
    const { payload, protectedHeader } = await jwtVerify(proof, EmbeddedJWK, {
      typ: 'dpop+jwt',
      requiredClaims: ['jti', 'htm', 'htu', 'iat'],
      maxTokenAge: maxAge,
      clockTolerance: 5,
      currentDate: new Date(target.now()),
    })
    if (payload['htm'] !== target.method) throw new Error(`its htm is not ${target.method}`)
    if (payload['htu'] !== target.url) throw new Error(`its htu is not ${target.url}`)
    const jwk = protectedHeader.jwk as JsonWebKey
    if (!target.once(`${await calculateJwkThumbprint(jwk)} ${payload.jti}`))
      throw new Error('its jti was used before')
    return jwk
  } catch (error) {
    throw new OAuthError('invalid_dpop_proof', `the DPoP proof: ${(error as Error).message}`)
  }
}
