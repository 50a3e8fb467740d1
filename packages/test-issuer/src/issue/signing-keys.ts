import { generateKeyPair, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import { exportJWK } from 'jose/key/export'
import { calculateJwkThumbprint } from 'jose/jwk/thumbprint'

/** A JSON Web Key (RFC 7517 §4), public members only. */
export type PublicJwk = Readonly<Record<string, unknown>> & { readonly kid: string; readonly kty: string }

/** RFC 7518 §3.1, RFC 8037 §3.1: asymmetric ones only. */
export type SigningAlgorithm =
  | 'ES256'
  | 'ES384'
  | 'ES512'
  | 'EdDSA'
  | 'RS256'
  | 'RS384'
  | 'RS512'
  | 'PS256'
  | 'PS384'
  | 'PS512'

export interface SigningKey {
  readonly kid: string
  readonly algorithm: SigningAlgorithm
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
  /** As the JWK set shows it. */
  readonly jwk: PublicJwk
}

/** The issuer's keys: one signs, all that are published verify. */
export interface SigningKeys {
  readonly current: SigningKey
  readonly published: readonly SigningKey[]
  /** A new key signs from now on; the ones before stay published. */
  rotate(): Promise<SigningKey>
  /** Takes a key out of the JWK set; a new one is made first where it is the one that signs. */
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
          `oauth-test-issuer: no published key has the kid ${JSON.stringify(kid)}; there are ${published.map(key => key.kid).join(', ')}`,
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
  const { privateKey, publicKey } = await makeKeyPair(algorithm)
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

const generate = promisify(generateKeyPair)
const curves: Readonly<Record<string, string>> = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' }

async function makeKeyPair(
  algorithm: SigningAlgorithm,
): Promise<{ privateKey: KeyObject; publicKey: KeyObject }> {
  const namedCurve = curves[algorithm]
  if (namedCurve !== undefined) return generate('ec', { namedCurve })
  return algorithm === 'EdDSA' ? generate('ed25519') : generate('rsa', { modulusLength: 2048 })
}
