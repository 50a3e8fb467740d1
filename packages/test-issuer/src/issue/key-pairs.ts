import { generateKeyPair, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'

/**
 * The asymmetric signature algorithms of JOSE (RFC 7518 §3.1, RFC 8037 §3.1, RFC 9864 §2.2, RFC 9964). `EdDSA` and `Ed25519`
 * are two names for the same algorithm. ML-DSA requires Node 24.7 or later.
 */
export type SigningAlgorithm =
  | 'ES256'
  | 'ES384'
  | 'ES512'
  | 'EdDSA'
  | 'Ed25519'
  | 'RS256'
  | 'RS384'
  | 'RS512'
  | 'PS256'
  | 'PS384'
  | 'PS512'
  | 'ML-DSA-44'
  | 'ML-DSA-65'
  | 'ML-DSA-87'

export interface KeyPair {
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}

// The cast is needed because @types/node for Node 20 does not list the ML-DSA key types.
const generate = promisify(generateKeyPair) as unknown as (type: string, options?: object) => Promise<KeyPair>

const ec = (namedCurve: string) => () => generate('ec', { namedCurve })
const ed25519 = (): Promise<KeyPair> => generate('ed25519')
const rsa = (): Promise<KeyPair> => generate('rsa', { modulusLength: 2048 })

const generators: Readonly<Record<SigningAlgorithm, () => Promise<KeyPair>>> = {
  ES256: ec('P-256'),
  ES384: ec('P-384'),
  ES512: ec('P-521'),
  EdDSA: ed25519,
  Ed25519: ed25519,
  RS256: rsa,
  RS384: rsa,
  RS512: rsa,
  PS256: rsa,
  PS384: rsa,
  PS512: rsa,
  'ML-DSA-44': () => mlDsa('ML-DSA-44'),
  'ML-DSA-65': () => mlDsa('ML-DSA-65'),
  'ML-DSA-87': () => mlDsa('ML-DSA-87'),
}

/** The allowed values of the `algorithm` option. */
// The cast is needed because Object.keys returns string[].
export const signingAlgorithms = Object.keys(generators) as readonly SigningAlgorithm[]

/** @throws {TypeError} if this version of Node does not support the algorithm */
export function generateKeyPairFor(algorithm: SigningAlgorithm): Promise<KeyPair> {
  return generators[algorithm]()
}

async function mlDsa(algorithm: string): Promise<KeyPair> {
  try {
    return await generate(algorithm.toLowerCase())
  } catch (cause) {
    throw new TypeError(
      `oauth-test-issuer: ${algorithm} keys need Node 24.7 or later; this is Node ${process.versions.node}`,
      { cause },
    )
  }
}
