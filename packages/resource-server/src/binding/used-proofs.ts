import { createHash, randomBytes } from 'node:crypto'
import { messageOf, within } from 'oauth-issuer-connection'
import { writeLog } from '../diagnostics.js'
import { Refusal } from '../errors.js'
import { andThen, type MaybePromise } from '../later.js'
import type { Logger } from '../log.js'
import type { Proof } from './dpop-proof.js'
import type { ReplayStore } from './replay-store.js'

/** Marks DPoP proofs as used. The application can provide the store, so the store is verified before its first use. */
export interface UsedProofs {
  /** Refuses a proof that was used before (RFC 9449 §11.1). */
  refuseReplay(proof: Pick<Proof, 'thumbprint' | 'jti'>): MaybePromise<Refusal | undefined>
  /**
   * Verifies that the store accepts an id only once.
   * @returns what is wrong with the store; undefined if it works
   */
  verifyStore(): Promise<StoreFault | undefined>
}

/** The reason why a store cannot be used. */
export class StoreFault {
  /** True if the store returned a wrong value. False if the store failed and may work later. */
  readonly isWrong: boolean
  readonly reason: string

  constructor(isWrong: boolean, reason: string) {
    this.isWrong = isWrong
    this.reason = reason
  }
}

interface StoreSettings {
  readonly replayStore: ReplayStore
  readonly maxProofAgeMs: number
}

/** @param timeoutMs time limit for one call of the store, in milliseconds */
export function createUsedProofs(
  { replayStore: store, maxProofAgeMs }: StoreSettings,
  log: Pick<Logger, 'warn'>,
  timeoutMs: number = 1_000,
): UsedProofs {
  // A proof is accepted from iat - maxProofAgeMs to iat + maxProofAgeMs. Another maxProofAgeMs covers different clocks
  // of replicas and a clock that is set back.
  const ttlMs = 3 * maxProofAgeMs
  let isVerified = false
  let verifying: Promise<StoreFault | undefined> | undefined

  function add(id: string, client: string): MaybePromise<boolean | StoreFault> {
    let answer: unknown
    try {
      answer = store.add(id, ttlMs, client)
    } catch (error) {
      return new StoreFault(false, messageOf(error))
    }
    return typeof answer === 'boolean' ? answer : settleWithin(timeoutMs, answer)
  }

  async function verify(): Promise<StoreFault | undefined> {
    const id = randomBytes(idBytes).toString('base64url')
    for (const expected of [true, false]) {
      const answer = await add(id, 'verification of the store')
      if (answer instanceof StoreFault) return answer
      if (answer !== expected) return new StoreFault(true, wrongAnswer(expected))
    }
    isVerified = true
    return undefined
  }

  async function verifyOnce(): Promise<StoreFault | undefined> {
    const fault = await verify()
    verifying = undefined
    if (fault !== undefined)
      writeLog(() => log.warn({ reason: fault.reason }, 'the replay store cannot be used'))
    return fault
  }

  const verifyStore = (): Promise<StoreFault | undefined> => (verifying ??= verifyOnce())

  function remember({
    thumbprint,
    jti,
  }: Pick<Proof, 'thumbprint' | 'jti'>): ReturnType<UsedProofs['refuseReplay']> {
    return andThen(add(idOf(thumbprint, jti), thumbprint), answer => {
      if (answer instanceof StoreFault) return unavailable(answer)
      return answer ? undefined : new Refusal('proof', 'the DPoP proof was used before')
    })
  }

  return {
    verifyStore,
    refuseReplay(proof) {
      if (isVerified) return remember(proof)
      return verifyStore().then(fault => (fault === undefined ? remember(proof) : unavailable(fault)))
    },
  }
}

/**
 * 128 bits are enough: if two proofs have the same id, one of them is refused. An attacker gains nothing from such a
 * pair.
 */
const idBytes = 16

/** Hashes the values, because the client chooses `jti` and its length. */
function idOf(thumbprint: string, jti: string): string {
  // A slice of the whole text would keep the whole text in memory.
  return createHash('sha256').update(`${thumbprint}.${jti}`).digest().toString('base64url', 0, idBytes)
}

function wrongAnswer(expected: boolean): string {
  return expected
    ? 'add returned false for an id that was never added; it must return true'
    : 'add returned true twice for the same id, so that replayed proofs would be accepted; the second time it must return false'
}

function unavailable({ reason }: StoreFault): Refusal {
  return new Refusal('unavailable', `the replay store: ${reason}`, { retryAfterMs: 1_000 })
}

/** The store may return any thenable, because the application provides the store. */
function settleWithin(timeoutMs: number, answer: unknown): Promise<boolean | StoreFault> {
  const settled = Promise.resolve(answer).then(
    value => (typeof value === 'boolean' ? value : notBoolean(value)),
    error => new StoreFault(false, messageOf(error)),
  )
  return within(timeoutMs, settled, () => new StoreFault(false, `no answer within ${timeoutMs} ms`))
}

function notBoolean(value: unknown): StoreFault {
  const shown = value === null ? 'null' : typeof value
  return new StoreFault(true, `add returned a value of type ${shown}; it must return true or false`)
}
