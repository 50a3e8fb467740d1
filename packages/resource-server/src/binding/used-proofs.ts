import { createHash, randomBytes } from 'node:crypto'
import { messageOf, within } from 'oauth-issuer-connection'
import { writeLog } from '../diagnostics.js'
import { Refusal } from '../errors.js'
import { andThen, type MaybePromise } from '../later.js'
import type { Logger } from '../log.js'
import type { Proof } from './dpop-proof.js'
import type { ReplayStore } from './replay-store.js'

/**
 * Records used DPoP proofs in the replay store. Before its first use, the store is tested, because it may be the
 * application's own implementation.
 */
export interface UsedProofs {
  /** Refuses a proof that was used before (RFC 9449 §11.1). */
  refuseReplay(proof: Pick<Proof, 'thumbprint' | 'jti'>): MaybePromise<Refusal | undefined>
  /**
   * Tests whether the store accepts each id only once.
   * @returns the problem with the store, or undefined if the store works
   */
  verifyStore(): Promise<StoreFault | undefined>
}

/** The reason why a replay store cannot be used. */
export class StoreFault {
  /**
   * True if the store returned an incorrect value, which is a bug in the store. False if the store failed or timed out,
   * which may be temporary.
   */
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

/** @param timeoutMs the time limit for each call to the store, in milliseconds */
export function createUsedProofs(
  { replayStore: store, maxProofAgeMs }: StoreSettings,
  log: Pick<Logger, 'warn'>,
  timeoutMs: number = 1_000,
): UsedProofs {
  // A proof is valid from maxProofAgeMs before until maxProofAgeMs after its `iat`. Its id is stored for longer than that, in case clocks differ or are set back.
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
      writeLog(() => log.warn({ reason: fault.reason }, 'the replay store for DPoP proofs cannot be used'))
    return fault
  }

  const verifyStore = (): Promise<StoreFault | undefined> => (verifying ??= verifyOnce())

  function remember({
    thumbprint,
    jti,
  }: Pick<Proof, 'thumbprint' | 'jti'>): ReturnType<UsedProofs['refuseReplay']> {
    return andThen(add(idOf(thumbprint, jti), thumbprint), answer => {
      if (answer instanceof StoreFault) return unavailable(answer)
      return answer ? undefined : new Refusal('proof', 'the DPoP proof has already been used')
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
 * The length of a stored id in bytes. 128 bits are sufficient, because an attacker gains nothing from a collision: the
 * second proof with the same id is simply refused.
 */
const idBytes = 16

/**
 * Returns the id under which a DPoP proof is stored. The id is a hash, because the client chooses `jti` and its length.
 */
function idOf(thumbprint: string, jti: string): string {
  return createHash('sha256').update(`${thumbprint}.${jti}`).digest().toString('base64url', 0, idBytes)
}

function wrongAnswer(expected: boolean): string {
  return expected
    ? 'add() returned false for a new id; it must return true if the store does not contain the id yet'
    : 'add() returned true twice for the same id, so replayed proofs would be accepted; it must return false if the store already contains the id'
}

function unavailable({ reason }: StoreFault): Refusal {
  return new Refusal('unavailable', `the replay store failed: ${reason}`, { retryAfterMs: 1_000 })
}

/** Waits for the result of a call to the store. A store provided by the application may return any thenable. */
function settleWithin(timeoutMs: number, answer: unknown): Promise<boolean | StoreFault> {
  const settled = Promise.resolve(answer).then(
    value => (typeof value === 'boolean' ? value : notBoolean(value)),
    error => new StoreFault(false, messageOf(error)),
  )
  return within(timeoutMs, settled, () => new StoreFault(false, `no response within ${timeoutMs} ms`))
}

function notBoolean(value: unknown): StoreFault {
  const shown = value === null ? 'null' : typeof value
  return new StoreFault(true, `add() returned a value of type ${shown}; it must return true or false`)
}
