import { createPublicKey, X509Certificate, type JsonWebKey, type KeyObject } from 'node:crypto'
import { createRequire } from 'node:module'
import type { FastifyJWTOptions, VerifyOptions } from '@fastify/jwt'
import { Refusal } from '../errors.js'
import { createSignatureCheck, type Jws, type SignatureCheck } from './signature-check.js'

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

/** The algorithms this package can verify: asymmetric ones only (RFC 7518 §3.1, RFC 8037 §3.1). */
export const supportedAlgorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
] as const // oxfmt keeps the table short

export type Algorithm = (typeof supportedAlgorithms)[number]

const rsa: readonly Algorithm[] = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512']
const byCurve: Readonly<Record<string, readonly Algorithm[]>> = {
  prime256v1: ['ES256'],
  secp384r1: ['ES384'],
  secp521r1: ['ES512'],
}

/** A key of an issuer, ready to verify. It stays the same object as long as the issuer lists the same JWK. */
export interface PublicKey {
  readonly kid: string | undefined
  /** The one issuer, or the template for issuers, whose tokens it signs; undefined: nothing is said of it. */
  readonly issuer: string | undefined
  readonly algorithms: readonly Algorithm[]
  /** Verifies a compact JWS whole. */
  verify(token: string, algorithm: Algorithm): Refusal | undefined
  /** Verifies the signature and nothing else, in place. */
  verifyHere(jws: Jws, algorithm: Algorithm): Refusal | undefined
  /** The same in the thread pool. */
  verifyInPool(jws: Jws, algorithm: Algorithm): Promise<Refusal | undefined>
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
  const key = toKeyObject(jwk)
  const algorithms = algorithmsOf(key).filter(
    algorithm => allowed.includes(algorithm) && (jwk.alg === undefined || jwk.alg === algorithm),
  )
  if (algorithms.length === 0) throw new Error('no allowed algorithm fits it')
  loadFastifyJwt()
  const pem = key.export({ type: 'spki', format: 'pem' }).toString()
  const verifiers = new Map<Algorithm, VerifyJws>()
  const checks = new Map<Algorithm, SignatureCheck>()
  return Object.freeze({
    kid: jwk.kid,
    issuer: typeof jwk.issuer === 'string' ? jwk.issuer : undefined,
    algorithms,
    verify(token: string, algorithm: Algorithm): Refusal | undefined {
      return madeOnce(verifiers, algorithm, () => prepareVerifier(pem, algorithm))(token)
    },
    verifyHere(jws: Jws, algorithm: Algorithm): Refusal | undefined {
      const check = madeOnce(checks, algorithm, () => createSignatureCheck(key, algorithm))
      return check.fits(jws) ? undefined : badSignature()
    },
    async verifyInPool(jws: Jws, algorithm: Algorithm): Promise<Refusal | undefined> {
      const check = madeOnce(checks, algorithm, () => createSignatureCheck(key, algorithm))
      return (await check.fitsInPool(jws)) ? undefined : badSignature()
    },
  })
}

/** A key may fit several algorithms, and its issuer uses one of them. */
function madeOnce<T>(made: Map<Algorithm, T>, algorithm: Algorithm, make: () => T): T {
  const known = made.get(algorithm)
  if (known !== undefined) return known
  const value = make()
  made.set(algorithm, value)
  return value
}

const publicMembers: Readonly<Record<string, readonly string[]>> = {
  RSA: ['kty', 'n', 'e'],
  EC: ['kty', 'crv', 'x', 'y'],
  OKP: ['kty', 'crv', 'x'],
}

/** Only the public members are read: a private key that an issuer publishes by mistake is not kept. */
function toKeyObject(jwk: Jwk): KeyObject {
  const members = Object.hasOwn(publicMembers, jwk.kty ?? '') ? publicMembers[jwk.kty ?? ''] : undefined
  if (members === undefined) throw new Error('its kty is not RSA, EC or OKP')
  if (members.every(member => typeof jwk[member] === 'string'))
    return createPublicKey({
      key: Object.fromEntries(members.map(member => [member, jwk[member]])),
      format: 'jwk',
    })
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
  return key.asymmetricKeyType === 'ed25519' ? ['EdDSA'] : []
}

type VerifyJws = (token: string) => Refusal | undefined

/** What @fastify/jwt decorates with, as far as it is used. */
interface FastifyJwt {
  /** @throws an error with a `code` */
  verify(token: string): unknown
}

type RegisterFastifyJwt = (
  instance: object,
  options: FastifyJWTOptions,
  done: (error?: Error) => void,
) => void

const require = createRequire(import.meta.url)

/** Loaded with the first key, since it takes longer to load than the rest: the application's start does not wait for it. */
function loadFastifyJwt(): RegisterFastifyJwt {
  return require('@fastify/jwt') as RegisterFastifyJwt
}

/**
 * @fastify/jwt keeps a prepared verifier for a static key, and then verifies synchronously. It decorates what it
 * is registered on; giving it an object of our own, once for each key, leaves the application's instance alone
 * (docs/decisions/fastify-jwt.md). Claims are checked by `checkClaims`, so it is told to leave them.
 */
function prepareVerifier(pem: string, algorithm: Algorithm): VerifyJws {
  const host = {
    jwt: undefined as unknown as FastifyJwt,
    decorate(_name: 'jwt', decorator: FastifyJwt) {
      host.jwt = decorator
    },
    decorateRequest() {},
    decorateReply() {},
  }
  const verify: Partial<VerifyOptions> = {
    algorithms: [algorithm],
    cache: false,
    ignoreExpiration: true,
    ignoreNotBefore: true,
  }
  // Its types ask for a whole Fastify instance; it uses these three methods of it.
  loadFastifyJwt()(host, { secret: { public: pem }, verify }, error => {
    if (error !== undefined) throw error
  })
  return token => {
    try {
      host.jwt.verify(token)
      return undefined
    } catch (error) {
      return refusalFor(error)
    }
  }
}

function badSignature(): Refusal {
  return new Refusal('signature', 'the signature does not verify')
}

function refusalFor(error: unknown): Refusal {
  switch ((error as { code?: string }).code) {
    case 'FAST_JWT_INVALID_SIGNATURE':
    case 'FAST_JWT_MISSING_SIGNATURE':
    case 'FAST_JWT_VERIFY_ERROR':
      return badSignature()
    case 'FAST_JWT_INVALID_ALGORITHM':
      return new Refusal('algorithm', 'alg is not allowed for this key')
    default:
      return new Refusal('malformed', 'the token cannot be read')
  }
}
