import { Refusal } from '../errors.js'
import { andThen, type MaybePromise } from '../later.js'
import type { Algorithm } from '../keys/algorithms.js'
import type { PublicKey } from '../keys/public-key.js'
import { verifyHere, verifyInPool, type Jws } from './node-signature.js'
import { isKnownToFastifyJwt, type LoadSecond } from './second-implementation.js'
import type { ThreadPool } from './thread-pool.js'

/** A token with a signature to verify. */
export interface SignedToken extends Jws {
  /** The complete compact JWS. */
  readonly raw: string
}

/**
 * Verifies a signature with `node:crypto`, in the thread pool during bursts. The first valid signature for each
 * combination of key and algorithm must also be accepted by @fastify/jwt. This second check detects whether this
 * package passes wrong parameters to `node:crypto`.
 * @returns undefined if the signature is valid. The result is a promise if the thread pool or @fastify/jwt is needed
 */
export type VerifySignature = (
  token: SignedToken,
  key: PublicKey,
  algorithm: Algorithm,
) => MaybePromise<Refusal | undefined>

export interface SignatureSteps {
  readonly threadPool: ThreadPool
  /** Called if `node:crypto` accepts a signature that @fastify/jwt rejects. */
  readonly onDisputed: (key: PublicKey, algorithm: Algorithm) => void
  readonly loadSecond: LoadSecond
}

export function createSignatureVerifier({
  threadPool,
  onDisputed,
  loadSecond,
}: SignatureSteps): VerifySignature {
  /** Maps each key to the algorithms for which both implementations have accepted one of its signatures. */
  const confirmed = new WeakMap<PublicKey, Set<Algorithm>>()

  function isConfirmed(key: PublicKey, algorithm: Algorithm): boolean {
    return confirmed.get(key)?.has(algorithm) === true || !isKnownToFastifyJwt(algorithm)
  }

  async function confirm(raw: string, key: PublicKey, algorithm: Algorithm): Promise<Refusal | undefined> {
    const accepts = await loadSecond()
    // A concurrent request may have confirmed the key while @fastify/jwt was loading.
    if (isConfirmed(key, algorithm)) return undefined
    if (!accepts(raw, key, algorithm)) {
      onDisputed(key, algorithm)
      return new Refusal('signature', 'node:crypto accepts the signature, but @fastify/jwt rejects it')
    }
    const algorithms = confirmed.get(key) ?? new Set()
    confirmed.set(key, algorithms.add(algorithm))
    return undefined
  }

  return (token, key, algorithm) => {
    const fits = threadPool.takesNext()
      ? threadPool.run(verifyInPool(token, key.keyObject, algorithm))
      : verifyHere(token, key.keyObject, algorithm)
    return andThen(fits, isValid => {
      if (!isValid) return new Refusal('signature', 'the signature is invalid')
      return isConfirmed(key, algorithm) ? undefined : confirm(token.raw, key, algorithm)
    })
  }
}
