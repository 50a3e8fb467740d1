import { createPublicKey, X509Certificate, type JsonWebKey, type KeyObject } from 'node:crypto'
import { hasMlDsa, includesAlgorithm, type Algorithm } from './algorithms.js'

/** A key in a JWK set (RFC 7517 §4). */
export type Jwk = JsonWebKey & {
  kid?: string
  alg?: string
  use?: string
  key_ops?: string[]
  /** The issuer whose tokens this key signs. Only multi-tenant issuers such as Entra ID set this member. */
  issuer?: string
  x5c?: string[]
}

const rsa: readonly Algorithm[] = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512']
const byCurve: Readonly<Record<string, readonly Algorithm[]>> = {
  prime256v1: ['ES256'],
  secp384r1: ['ES384'],
  secp521r1: ['ES512'],
}

/** Maps the key types of Ed25519 and ML-DSA keys to their signature algorithms. */
const byKeyType: Readonly<Record<string, readonly Algorithm[]>> = {
  ed25519: ['EdDSA', 'Ed25519'],
  'ml-dsa-44': ['ML-DSA-44'],
  'ml-dsa-65': ['ML-DSA-65'],
  'ml-dsa-87': ['ML-DSA-87'],
}

/** An imported public key. The same object is reused until the issuer changes or removes the JWK. */
export interface PublicKey {
  readonly kid: string | undefined
  /**
   * The issuer whose tokens this key signs, or a template that matches several issuers. Undefined if the JWK has no `issuer`
   * member.
   */
  readonly issuer: string | undefined
  readonly algorithms: readonly Algorithm[]
  readonly keyObject: KeyObject
}

/**
 * Imports a public key from a JWK.
 * @throws {Error} if the key cannot verify tokens. The message contains the reason
 */
export function importPublicKey(jwk: Jwk, allowed: readonly Algorithm[]): PublicKey {
  if (jwk.use !== undefined && jwk.use !== 'sig') throw new Error('the JWK member `use` is not "sig"')
  if (jwk.key_ops !== undefined && !jwk.key_ops.includes('verify'))
    throw new Error('the JWK member `key_ops` does not include "verify"')
  if (jwk.kid !== undefined && typeof jwk.kid !== 'string')
    throw new Error('the JWK member `kid` is not a string')
  const keyObject = toKeyObject(jwk)
  const algorithms = algorithmsOf(keyObject).filter(
    algorithm =>
      includesAlgorithm(allowed, algorithm) &&
      (jwk.alg === undefined || includesAlgorithm([jwk.alg], algorithm)),
  )
  if (algorithms.length === 0) throw new Error('the key cannot be used with any allowed algorithm')
  return Object.freeze({
    kid: jwk.kid,
    issuer: typeof jwk.issuer === 'string' ? jwk.issuer : undefined,
    algorithms,
    keyObject,
  })
}

const publicMembers: Readonly<Record<string, readonly string[]>> = {
  RSA: ['kty', 'n', 'e'],
  EC: ['kty', 'crv', 'x', 'y'],
  OKP: ['kty', 'crv', 'x'],
  // RFC 9964 §3 requires the `alg` member.
  AKP: ['kty', 'alg', 'pub'],
}

/**
 * Imports only the public members of a JWK. If an issuer publishes a private key by mistake, its private members are
 * not kept in memory.
 */
function toKeyObject(jwk: Jwk): KeyObject {
  const members = Object.hasOwn(publicMembers, jwk.kty ?? '') ? publicMembers[jwk.kty ?? ''] : undefined
  if (members === undefined) throw new Error('the JWK member `kty` is not RSA, EC, OKP or AKP')
  if (members.every(member => typeof jwk[member] === 'string')) {
    if (jwk.kty === 'AKP' && !hasMlDsa())
      throw new Error('the JWK member `kty` is AKP, which requires Node.js 24.7 or later')
    return createPublicKey({
      key: Object.fromEntries(members.map(member => [member, jwk[member]])),
      format: 'jwk',
    })
  }
  const certificate = Array.isArray(jwk.x5c) ? jwk.x5c[0] : undefined
  if (certificate === undefined) throw new Error(`the key has neither ${members.join(', ')} nor x5c`)
  return new X509Certificate(Buffer.from(certificate, 'base64')).publicKey
}

function algorithmsOf(key: KeyObject): readonly Algorithm[] {
  const { modulusLength = 0, publicExponent = 0n, namedCurve = '' } = key.asymmetricKeyDetails ?? {}
  if (key.asymmetricKeyType === 'rsa') {
    // RFC 7518 §3.3, §3.5
    if (modulusLength < 2048) throw new Error('the RSA modulus is shorter than 2048 bits')
    // Larger RSA keys are rejected, because verifying a signature with one takes up to 12 ms, and clients choose the keys for their DPoP proofs.
    if (modulusLength > 8192) throw new Error('the RSA modulus is longer than 8192 bits')
    if (publicExponent < 3n || publicExponent > 0xffff_ffffn)
      throw new Error('the RSA exponent is not between 3 and 2^32')
    return rsa
  }
  if (key.asymmetricKeyType === 'ec') return byCurve[namedCurve] ?? []
  // The type definitions of Node.js 20 do not include ML-DSA.
  return byKeyType[key.asymmetricKeyType as string] ?? []
}
