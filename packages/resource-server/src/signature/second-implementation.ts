import type { FastifyJWTOptions, VerifyOptions } from '@fastify/jwt'
import { isMlDsa, type Algorithm, type ProofAlgorithm } from '../keys/algorithms.js'
import type { PublicKey } from '../keys/public-key.js'

/** Whether the second implementation accepts the signature of a compact JWS. */
export type AcceptsSignature = (token: string, key: PublicKey, algorithm: Algorithm) => boolean

/** Loads the second implementation. @throws {Error} when it cannot be loaded: never the fault of a key or a token */
export type LoadSecond = () => Promise<AcceptsSignature>

/** Whether @fastify/jwt knows an algorithm by this name; it does not know RFC 9864's `Ed25519` and RFC 9964's ML-DSA. */
export function isKnownToFastifyJwt(algorithm: Algorithm): boolean {
  return algorithm !== 'Ed25519' && !isMlDsa(algorithm)
}

/**
 * Loads @fastify/jwt, the independent second implementation (docs/decisions/fastify-jwt.md). `import()` lets bundlers
 * follow it, and delays loading until the first signature, so that the application's start does not wait for it.
 */
export async function loadFastifyJwt(): Promise<AcceptsSignature> {
  const { default: fastifyJwt } = await import('@fastify/jwt')
  // Its types ask for a whole Fastify instance; it uses three methods of it.
  return (token, key, algorithm) =>
    accepts(fastifyJwt as unknown as RegisterFastifyJwt, token, key, algorithm)
}

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

/** It decorates the instance it is registered on: an object of our own leaves the application's instance alone. */
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
    // `claimChecks` has checked the claims.
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
