import { createPrivateKey, KeyObject, webcrypto, type JsonWebKey } from 'node:crypto'

/** A private key for client assertions (RFC 7523 §2.2): PEM (PKCS #8), JWK, KeyObject or CryptoKey. */
export type PrivateKeyInput = string | JsonWebKey | KeyObject | webcrypto.CryptoKey

/** Maps JWS algorithms to Web Crypto parameters (RFC 7518 §3.1, RFC 9864 §2.2). */
const parameters: Readonly<
  Record<string, { readonly name: string; readonly hash?: string; readonly namedCurve?: string }>
> = {
  RS256: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' },
  RS384: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-384' },
  RS512: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-512' },
  PS256: { name: 'RSA-PSS', hash: 'SHA-256' },
  PS384: { name: 'RSA-PSS', hash: 'SHA-384' },
  PS512: { name: 'RSA-PSS', hash: 'SHA-512' },
  ES256: { name: 'ECDSA', namedCurve: 'P-256' },
  ES384: { name: 'ECDSA', namedCurve: 'P-384' },
  ES512: { name: 'ECDSA', namedCurve: 'P-521' },
  EdDSA: { name: 'Ed25519' },
  Ed25519: { name: 'Ed25519' },
}

/** The supported signing algorithms of private keys. */
export const keyAlgorithms: readonly string[] = Object.keys(parameters)

const algorithmOf: Readonly<Record<string, string>> = {
  'P-256': 'ES256',
  'P-384': 'ES384',
  'P-521': 'ES512',
  Ed25519: 'EdDSA',
}

/**
 * A signing key and its JWS algorithm. If `algorithm` is undefined, the algorithm depends on the key type and the
 * server's metadata.
 */
export interface SigningKey {
  readonly key: webcrypto.CryptoKey
  readonly algorithm: string | undefined
}

/**
 * Imports a private key into Web Crypto.
 * @param rsaAlgorithm the algorithm for an RSA key if neither the key nor `algorithm` specifies one
 * @throws {TypeError} if the key is not a private key, or does not match the algorithm
 */
export async function importPrivateKey(
  input: PrivateKeyInput,
  algorithm: string | undefined,
  rsaAlgorithm: string,
): Promise<SigningKey> {
  if (isCryptoKey(input)) return { key: input, algorithm }
  const jwk = privateJwk(input)
  const named = algorithm ?? (typeof jwk['alg'] === 'string' ? jwk['alg'] : undefined)
  const wanted = named ?? (jwk.kty === 'RSA' ? rsaAlgorithm : algorithmOf[jwk.crv ?? ''])
  const fitting = Object.hasOwn(parameters, wanted ?? '') ? parameters[wanted ?? ''] : undefined
  if (fitting === undefined) throw new TypeError('no supported signing algorithm matches the private key')
  const { kty, n, e, d, p, q, dp, dq, qi, crv, x, y } = jwk
  const bare = Object.fromEntries(
    Object.entries({ kty, n, e, d, p, q, dp, dq, qi, crv, x, y }).filter(([, value]) => value !== undefined),
  )
  // This cast is safe because the types `JsonWebKey` of `node:crypto` and of `webcrypto` differ only in optional members.
  const key = await webcrypto.subtle.importKey('jwk', bare as webcrypto.JsonWebKey, fitting, false, ['sign'])
  return { key, algorithm: named }
}

function isCryptoKey(input: PrivateKeyInput): input is webcrypto.CryptoKey {
  return typeof input === 'object' && 'usages' in input && 'algorithm' in input
}

function privateJwk(input: string | JsonWebKey | KeyObject): JsonWebKey {
  return isJwk(input) ? input : privateKeyObject(input).export({ format: 'jwk' })
}

function isJwk(input: string | JsonWebKey | KeyObject): input is JsonWebKey {
  return typeof input === 'object' && !(input instanceof KeyObject)
}

/** Converts a private key to a KeyObject. */
export function privateKeyObject(input: PrivateKeyInput): KeyObject {
  if (input instanceof KeyObject) return input
  if (typeof input === 'string') return createPrivateKey(input)
  if (isCryptoKey(input)) return KeyObject.from(input)
  return createPrivateKey({ key: input, format: 'jwk' })
}
