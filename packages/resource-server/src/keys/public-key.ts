import { createPublicKey, X509Certificate, type JsonWebKey, type KeyObject } from 'node:crypto'
import { hasMlDsa, includesAlgorithm, type Algorithm } from './algorithms.js'

/** A member of a JWK set (RFC 7517 §4). */
export type Jwk = JsonWebKey & {
  kid?: string
  alg?: string
  use?: string
  key_ops?: string[]
  /** Whose key it is, where a set serves many tenants (Entra ID). */
  issuer?: string
  x5c?: string[]
}

const rsa: readonly Algorithm[] = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512']
const byCurve: Readonly<Record<string, readonly Algorithm[]>> = {
  prime256v1: ['ES256'],
  secp384r1: ['ES384'],
  secp521r1: ['ES512'],
}

/** Types of keys for one algorithm. */
const byKeyType: Readonly<Record<string, readonly Algorithm[]>> = {
  ed25519: ['EdDSA', 'Ed25519'],
  'ml-dsa-44': ['ML-DSA-44'],
  'ml-dsa-65': ['ML-DSA-65'],
  'ml-dsa-87': ['ML-DSA-87'],
}

/** A public key and what it may verify. It stays the same object as long as the issuer lists the same JWK. */
export interface PublicKey {
  readonly kid: string | undefined
  /** The one issuer, or the template for issuers, whose tokens it signs; undefined: the JWK does not say. */
  readonly issuer: string | undefined
  readonly algorithms: readonly Algorithm[]
  readonly keyObject: KeyObject
}

/**
 * Makes a key from a JWK.
 * @throws {Error} saying why the key cannot verify access tokens
 */
export function importPublicKey(jwk: Jwk, allowed: readonly Algorithm[]): PublicKey {
  if (jwk.use !== undefined && jwk.use !== 'sig') throw new Error('its use is not "sig"')
  if (jwk.key_ops !== undefined && !jwk.key_ops.includes('verify'))
    throw new Error('its key_ops have no "verify"')
  if (jwk.kid !== undefined && typeof jwk.kid !== 'string') throw new Error('its kid is not a string')
  const keyObject = toKeyObject(jwk)
  const algorithms = algorithmsOf(keyObject).filter(
    algorithm =>
      includesAlgorithm(allowed, algorithm) &&
      (jwk.alg === undefined || includesAlgorithm([jwk.alg], algorithm)),
  )
  if (algorithms.length === 0) throw new Error('no allowed algorithm fits it')
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
  // RFC 9964 §3: `alg` is required.
  AKP: ['kty', 'alg', 'pub'],
}

/** Only the public members are read: a private key that an issuer publishes by mistake is not kept. */
function toKeyObject(jwk: Jwk): KeyObject {
  const members = Object.hasOwn(publicMembers, jwk.kty ?? '') ? publicMembers[jwk.kty ?? ''] : undefined
  if (members === undefined) throw new Error('its kty is not RSA, EC, OKP or AKP')
  if (members.every(member => typeof jwk[member] === 'string')) {
    if (jwk.kty === 'AKP' && !hasMlDsa())
      throw new Error('its kty is AKP, which this version of Node.js does not support; 24.7 or later does')
    return createPublicKey({
      key: Object.fromEntries(members.map(member => [member, jwk[member]])),
      format: 'jwk',
    })
  }
  const certificate = Array.isArray(jwk.x5c) ? jwk.x5c[0] : undefined
  if (certificate === undefined) throw new Error(`it lacks one of ${members.join(', ')}, and has no x5c`)
  return new X509Certificate(Buffer.from(certificate, 'base64')).publicKey
}

function algorithmsOf(key: KeyObject): readonly Algorithm[] {
  const { modulusLength = 0, publicExponent = 0n, namedCurve = '' } = key.asymmetricKeyDetails ?? {}
  if (key.asymmetricKeyType === 'rsa') {
    // RFC 7518 §3.3, §3.5
    if (modulusLength < 2048) throw new Error('its modulus is shorter than 2048 bits')
    // Larger ones take up to 12 ms a signature, and a DPoP proof brings its own key.
    if (modulusLength > 8192) throw new Error('its modulus is longer than 8192 bits')
    if (publicExponent < 3n || publicExponent > 0xffff_ffffn)
      throw new Error('its exponent is not between 3 and 2^32')
    return rsa
  }
  if (key.asymmetricKeyType === 'ec') return byCurve[namedCurve] ?? []
  // The types of Node 20 do not list ML-DSA.
  return byKeyType[key.asymmetricKeyType as string] ?? []
}
