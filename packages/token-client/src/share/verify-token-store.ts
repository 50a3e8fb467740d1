import { randomUUID } from 'node:crypto'
import { messageOf } from 'oauth-issuer-connection'
import type { TokenStore } from './token-store.js'
import { answerOf } from './answer-of.js'

/** What is wrong with a store. */
export type StoreFault =
  /** It could not be asked. It may work later. */
  | { readonly isWrong: false; readonly operation: keyof TokenStore; readonly reason: string }
  /** It answered, and wrongly. */
  | { readonly isWrong: true; readonly reason: string }

interface Step {
  readonly operation: keyof TokenStore
  readonly run: () => Promise<unknown>
  readonly isRight?: (answer: unknown) => boolean
  readonly expected?: string
}

/** What the verification stores is of no use later. */
const ttlMs = 10_000

/**
 * Checks that values and locks round-trip, with keys of its own.
 * @param timeoutMs how long one operation may take, in milliseconds
 * @returns undefined if the store works
 */
export async function verifyTokenStore(
  store: TokenStore,
  timeoutMs: number,
): Promise<StoreFault | undefined> {
  for (const { operation, run, isRight, expected } of stepsOf(store)) {
    let answer: unknown
    try {
      // Also for stores that return no promise.
      answer = await answerOf(run, timeoutMs)
    } catch (error) {
      return { isWrong: false, operation, reason: messageOf(error) }
    }
    if (isRight?.(answer) === false)
      return {
        isWrong: true,
        reason: `${operation} returned ${nameOf(answer)} where ${expected} was expected`,
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
    get('undefined or null (the key was never set)', answer => answer === undefined || answer === null),
    { operation: 'set', run: () => store.set(key, value, ttlMs) },
    get('the text that was set', answer => answer === value),
    lock(owner, true, 'the lock is free'),
    lock(other, false, 'another owner holds the lock'),
    unlock(other),
    lock(other, false, 'only its owner may release the lock'),
    unlock(owner),
    lock(other, true, 'the owner released the lock'),
    unlock(other),
  ]
}

/** Nothing else of it: a store may hold tokens of others. */
function nameOf(answer: unknown): string {
  if (typeof answer === 'boolean' || answer === null || answer === undefined) return String(answer)
  if (Buffer.isBuffer(answer)) return 'a Buffer'
  return typeof answer === 'string' ? 'other text' : `a value of type ${typeof answer}`
}
