import { randomUUID } from 'node:crypto'
import type { TokenAnswer } from '../acquire/request-token.js'
import type { Seal } from './seal.js'
import type { TokenStore } from './token-store.js'

/** Asks for a token other than the one that is at hand, or was refused. */
export type AskForToken = (unwanted: string | undefined) => Promise<TokenAnswer>

/** How tokens are shared. Times in milliseconds. */
export interface Sharing {
  readonly store: TokenStore
  readonly seal: Seal
  /** The place in the store. */
  readonly key: string
  /** When an answer is too old to be taken over from another process. */
  readonly freshUntil: (answer: TokenAnswer) => number
  /** When a token ends. */
  readonly expiresAt: (answer: TokenAnswer) => number
  /** How long one token request may take. */
  readonly requestTimeoutMs: number
  /** Longer than that nobody waits for the store. */
  readonly storeTimeoutMs: number
  readonly now: () => number
  /** The store could not be used; the client goes on without it. */
  readonly onStoreFailure: (operation: keyof TokenStore, error: Error) => void
}

const pollEveryMs = 25

/**
 * Lets processes share tokens: whoever gets the lock asks the server, the others take over what it got. Availability
 * comes first: a store that fails, or a lock that is not given back in time, costs a token request more and no call.
 */
export function shareTokens(ask: AskForToken, sharing: Sharing): AskForToken {
  const { store, seal, key, now } = sharing

  /** What a store does, in bounded time; `otherwise` when it does not. */
  async function tryStore<T>(
    operation: keyof TokenStore,
    otherwise: T,
    use: () => Promise<T>,
  ): Promise<{ value: T; failed: boolean }> {
    try {
      return { value: await within(sharing.storeTimeoutMs, use), failed: false }
    } catch (error) {
      sharing.onStoreFailure(operation, error as Error)
      return { value: otherwise, failed: true }
    }
  }

  async function takeOver(unwanted: string | undefined): Promise<{ answer?: TokenAnswer; failed: boolean }> {
    const { value: sealed, failed } = await tryStore('get', undefined, () => store.get(key))
    const answer = sealed === undefined ? undefined : readAnswer(seal.open(sealed, key))
    const wanted =
      answer !== undefined && answer.accessToken !== unwanted && now() < sharing.freshUntil(answer)
    return wanted ? { answer, failed } : { failed }
  }

  async function askAndTell(unwanted: string | undefined): Promise<TokenAnswer> {
    const answer = await ask(unwanted)
    const ttlMs = sharing.expiresAt(answer) - now()
    if (ttlMs > 0)
      await tryStore('set', undefined, () => store.set(key, seal.close(JSON.stringify(answer), key), ttlMs))
    return answer
  }

  return async unwanted => {
    const owner = randomUUID()
    const lockMs = sharing.requestTimeoutMs + 1_000
    const patience = performance.now() + sharing.requestTimeoutMs
    for (;;) {
      const { answer, failed } = await takeOver(unwanted)
      if (answer !== undefined) return answer
      if (failed) return ask(unwanted)
      const lock = await tryStore('lock', false, () => store.lock(key, owner, lockMs))
      if (lock.failed) return ask(unwanted)
      if (!lock.value) {
        if (performance.now() > patience) return askAndTell(unwanted)
        await pause(pollEveryMs)
        continue
      }
      try {
        // Between the look and the lock, the one who had it before may have put a token there.
        return (await takeOver(unwanted)).answer ?? (await askAndTell(unwanted))
      } finally {
        await tryStore('unlock', undefined, () => store.unlock(key, owner))
      }
    }
  }
}

function readAnswer(text: string | undefined): TokenAnswer | undefined {
  if (text === undefined) return undefined
  try {
    const { accessToken, requestedAt, expiresIn, scope } = JSON.parse(text) as Partial<TokenAnswer>
    if (typeof accessToken !== 'string' || typeof requestedAt !== 'number') return undefined
    return { accessToken, requestedAt, expiresIn, scope }
  } catch {
    return undefined
  }
}

async function within<T>(ms: number, use: () => Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`the store does not answer in ${ms} ms`)), ms)
  })
  try {
    return await Promise.race([use(), late])
  } finally {
    clearTimeout(timer)
  }
}

function pause(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms))
}
