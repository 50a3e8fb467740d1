import { randomUUID } from 'node:crypto'
import { messageOf } from 'oauth-issuer-connection'
import type { TokenStore } from './token-store.js'
import { answerOf } from './answer-of.js'

/** A problem found while checking a token store. */
export type StoreFault =
  /** The store failed or timed out, but may work later. */
  | { readonly isWrong: false; readonly operation: keyof TokenStore; readonly reason: string }
  /** The store returned a wrong result. */
  | { readonly isWrong: true; readonly reason: string }

interface Step {
  readonly operation: keyof TokenStore
  readonly run: () => Promise<unknown>
  readonly isRight?: (answer: unknown) => boolean
  readonly expected?: string
}

/** The lifetime of the test entries in milliseconds. */
const ttlMs = 10_000

/**
 * Writes test entries to check that a store returns its values and respects its locks.
 * @param timeoutMs the time limit of one operation in milliseconds
 * @returns undefined if the store works correctly
 */
export async function verifyTokenStore(
  store: TokenStore,
  timeoutMs: number,
): Promise<StoreFault | undefined> {
  for (const { operation, run, isRight, expected } of stepsOf(store)) {
    let answer: unknown
    try {
      // Also accepts stores whose methods do not return promises.
      answer = await answerOf(run, timeoutMs)
    } catch (error) {
      return { isWrong: false, operation, reason: messageOf(error) }
    }
    if (isRight?.(answer) === false)
      return {
        isWrong: true,
        reason: `${operation} returned ${nameOf(answer)}, expected ${expected}`,
      }
  }
  return undefined
}

function stepsOf(store: TokenStore): readonly Step[] {
  const [key, value, owner, other] = [randomUUID(), randomUUID(), randomUUID(), randomUUID()]
  const get = (expected: string, isRight: (answer: unknown) => boolean): Step => ({
    operation: 'get',
    run: () => store.get(key),
    isRight,
    expected,
  })
  const lock = (by: string, taken: boolean, expected: string): Step => ({
    operation: 'lock',
    run: () => store.lock(key, by, ttlMs),
    isRight: answer => answer === taken,
    expected: `${taken} (${expected})`,
  })
  const unlock = (by: string): Step => ({ operation: 'unlock', run: () => store.unlock(key, by) })
  return [
    get(
      'undefined or null (no value was stored under this key)',
      answer => answer === undefined || answer === null,
    ),
    { operation: 'set', run: () => store.set(key, value, ttlMs) },
    get('the text that was set', answer => answer === value),
    lock(owner, true, 'the lock is free'),
    lock(other, false, 'another owner holds the lock'),
    unlock(other),
    lock(other, false, 'only the owner of the lock may release it'),
    unlock(owner),
    lock(other, true, 'the owner has released the lock'),
    unlock(other),
  ]
}

/** Describes a result from the store without showing its text, because the text may be a token. */
function nameOf(answer: unknown): string {
  if (typeof answer === 'boolean' || answer === null || answer === undefined) return String(answer)
  if (Buffer.isBuffer(answer)) return 'a Buffer'
  return typeof answer === 'string' ? 'other text' : `a value of type ${typeof answer}`
}
