import type { KeyObject } from 'node:crypto'
import { exportJWK } from 'jose/key/export'
import { calculateJwkThumbprint } from 'jose/jwk/thumbprint'
import { generateKeyPairFor, type SigningAlgorithm } from './key-pairs.js'

/** A JSON Web Key (RFC 7517 §4) with public members only. */
export type PublicJwk = Readonly<Record<string, unknown>> & { readonly kid: string; readonly kty: string }

export interface SigningKey {
  readonly kid: string
  readonly algorithm: SigningAlgorithm
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
  /** The public key as a member of the JWK set. */
  readonly jwk: PublicJwk
}

/** The issuer's keys. The issuer signs new tokens with the current key. Tokens signed with any published key are valid. */
export interface SigningKeys {
  readonly current: SigningKey
  readonly published: readonly SigningKey[]
  /** Creates a new current key. Earlier keys stay published. */
  rotate(): Promise<SigningKey>
  /**
   * Removes a key from the JWK set. If it is the current key, a new key replaces it.
   * @throws {TypeError} if no published key has this `kid`
   */
  withdraw(kid: string): Promise<void>
}

export async function createSigningKeys(
  algorithm: SigningAlgorithm,
  namesAlgorithm: boolean,
): Promise<SigningKeys> {
  let current = await createSigningKey(algorithm, namesAlgorithm)
  let published = [current]
  async function rotate(): Promise<SigningKey> {
    current = await createSigningKey(algorithm, namesAlgorithm)
    published = [...published, current]
    return current
  }
  return {
    get current() {
      return current
    },
    get published() {
      return published
    },
    rotate,
    async withdraw(kid) {
      if (!published.some(key => key.kid === kid))
        throw new TypeError(
          `oauth-test-issuer: no published key has the kid ${JSON.stringify(kid)}; the published kids are ${published.map(key => key.kid).join(', ')}`,
        )
      if (current.kid === kid) await rotate()
      published = published.filter(key => key.kid !== kid)
    },
  }
}

export async function createSigningKey(
  algorithm: SigningAlgorithm,
  namesAlgorithm: boolean,
): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPairFor(algorithm)
  const bare = await exportJWK(publicKey)
  const kid = await calculateJwkThumbprint(bare)
  const jwk = {
    ...bare,
    kid,
    use: 'sig',
    ...(namesAlgorithm ? { alg: algorithm } : {}),
  } as PublicJwk
  return { kid, algorithm, privateKey, publicKey, jwk }
}
