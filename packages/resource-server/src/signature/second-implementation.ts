import type { FastifyJWTOptions, VerifyOptions } from '@fastify/jwt'
import { isMlDsa, type Algorithm, type ProofAlgorithm } from '../keys/algorithms.js'
import type { PublicKey } from '../keys/public-key.js'

/** Returns whether @fastify/jwt accepts the signature of a compact JWS. */
export type AcceptsSignature = (token: string, key: PublicKey, algorithm: Algorithm) => boolean

/**
 * Loads @fastify/jwt, which verifies signatures independently of `node:crypto`.
 * @throws {Error} only if the module cannot be loaded
 */
export type LoadSecond = () => Promise<AcceptsSignature>

/**
 * Returns whether @fastify/jwt supports an algorithm. `Ed25519` (RFC 9864) and ML-DSA (RFC 9964) are not supported.
 */
export function isKnownToFastifyJwt(algorithm: Algorithm): boolean {
  return algorithm !== 'Ed25519' && !isMlDsa(algorithm)
}

/**
 * Loads @fastify/jwt, the independent second implementation of signature verification (docs/decisions/fastify-jwt.md).
 * It is loaded when the first signature is verified, so that it does not slow down startup. Bundlers can resolve the
 * dynamic `import()`.
 */
export async function loadFastifyJwt(): Promise<AcceptsSignature> {
  const { default: fastifyJwt } = await import('@fastify/jwt')
  // The types of @fastify/jwt require a complete Fastify instance, but @fastify/jwt uses only three of its methods.
  return (token, key, algorithm) =>
    accepts(fastifyJwt as unknown as RegisterFastifyJwt, token, key, algorithm)
}

/** The part of the @fastify/jwt decorator that this package uses. */
interface FastifyJwt {
  /** @throws an error with a `code` if the token is invalid */
  verify(token: string): unknown
}

type RegisterFastifyJwt = (
  instance: object,
  options: FastifyJWTOptions,
  done: (error?: Error) => void,
) => void

/** Registers @fastify/jwt on a fake Fastify instance, so that the application's own instance is not decorated. */
function accepts(
  fastifyJwt: RegisterFastifyJwt,
  token: string,
  { keyObject }: PublicKey,
  algorithm: Algorithm,
): boolean {
  const host = {
    jwt: undefined as unknown as FastifyJwt,
    decorate(_name: 'jwt', decorator: FastifyJwt) {
      host.jwt = decorator
    },
    decorateRequest() {},
    decorateReply() {},
  }
  const verify: Partial<VerifyOptions> = {
    algorithms: [algorithm as Exclude<ProofAlgorithm, 'Ed25519'>], // see isKnownToFastifyJwt
    cache: false,
    // `claimChecks` has already checked `exp` and `nbf`.
    ignoreExpiration: true,
    ignoreNotBefore: true,
  }
  const pem = keyObject.export({ type: 'spki', format: 'pem' }).toString()
  fastifyJwt(host, { secret: { public: pem }, verify }, error => {
    if (error !== undefined) throw error
  })
  try {
    host.jwt.verify(token)
    return true
  } catch (error) {
    if (String((error as { code?: unknown }).code).startsWith('FAST_JWT_')) return false
    throw error
  }
}
