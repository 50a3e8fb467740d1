import type { JsonWebKey } from 'node:crypto'
import { EmbeddedJWK } from 'jose/jwk/embedded'
import { calculateJwkThumbprint } from 'jose/jwk/thumbprint'
import { jwtVerify, type JWTVerifyGetKey } from 'jose/jwt/verify'
import { acceptBothEd25519Names } from '../issue/ed25519-names.js'
import { OAuthError } from './oauth-error.js'

/** The request that a DPoP proof must match. */
export interface ProofTarget {
  readonly method: string
  readonly url: string
  readonly now: () => number
  /** Marks the id of a DPoP proof as used. Returns false if the id was already used. */
  readonly once: (id: string) => boolean
}

/** The maximum age of a DPoP proof, in seconds. */
const maxAge = 60

/**
 * Validates a DPoP proof (RFC 9449 §4.3) and returns its public key, to which the token will be bound.
 * @throws {OAuthError} invalid_dpop_proof
 */
export async function readDpopProof(proof: string, target: ProofTarget): Promise<JsonWebKey> {
  try {
    const { payload, protectedHeader } = await jwtVerify(proof, embeddedKey, {
      typ: 'dpop+jwt',
      requiredClaims: ['jti', 'htm', 'htu', 'iat'],
      maxTokenAge: maxAge,
      clockTolerance: 5,
      currentDate: new Date(target.now()),
    })
    if (payload['htm'] !== target.method) throw new Error(`htm is not ${target.method}`)
    if (payload['htu'] !== target.url) throw new Error(`htu is not ${target.url}`)
    // The cast is safe because EmbeddedJWK has imported this JWK as a public key.
    const jwk = protectedHeader.jwk as JsonWebKey
    if (!target.once(`${await calculateJwkThumbprint(jwk)} ${payload.jti}`))
      throw new Error('jti was used before')
    return jwk
  } catch (error) {
    throw new OAuthError('invalid_dpop_proof', `invalid DPoP proof: ${(error as Error).message}`)
  }
}

const embeddedKey: JWTVerifyGetKey = (header, token) =>
  EmbeddedJWK({ ...header, jwk: acceptBothEd25519Names(Object(header.jwk) as object) }, token)
