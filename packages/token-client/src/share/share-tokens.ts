import { messageOf } from 'oauth-issuer-connection'
import { randomUUID } from 'node:crypto'
import type { AskForToken, TokenAnswer } from '../acquire/ask-for-token.js'
import { TokenRequestFailure } from '../acquire/token-request-failure.js'
import type { Seal } from './seal.js'
import type { TokenStore } from './token-store.js'
import { answerOf } from './answer-of.js'

/** Settings for sharing tokens. All times are in milliseconds. */
export interface Sharing {
  readonly store: TokenStore
  readonly seal: Seal
  /** The key under which the token is stored. */
  readonly key: string
  /** Returns the time after which a token from the store is no longer used. */
  readonly freshUntil: (answer: TokenAnswer) => number
  readonly expiresAt: (answer: TokenAnswer) => number
  /** The time limit of one token request. */
  readonly requestTimeoutMs: number
  /** The time limit of one store operation. */
  readonly storeTimeoutMs: number
  readonly now: () => number
  /** Called for each store operation that fails or times out. */
  readonly onStoreFailure: (operation: keyof TokenStore, reason: string) => void
}

const pollEveryMs = 25

/**
 * Shares tokens between processes. The process that acquires the lock requests a token, and the other processes use
 * this token. If the store fails or the lock is not released in time, each process requests its own token, so calls do
 * not fail.
 */
export function shareTokens(ask: AskForToken, sharing: Sharing): AskForToken {
  const { store, seal, key, now } = sharing

  /** Returns the result of a store operation, or `otherwise` if the operation fails or times out. */
  async function tryStore<T>(
    operation: keyof TokenStore,
    otherwise: T,
    use: () => Promise<T>,
  ): Promise<{ value: T; failed: boolean }> {
    try {
      return { value: await answerOf(use, sharing.storeTimeoutMs), failed: false }
    } catch (error) {
      sharing.onStoreFailure(operation, messageOf(error))
      return { value: otherwise, failed: true }
    }
  }

  async function takeOver(unwanted: string | undefined): Promise<{ answer?: TokenAnswer; failed: boolean }> {
    const { value, failed } = await tryStore<unknown>('get', undefined, () => store.get(key))
    // If a key is missing, many stores return null or another value that is not a string.
    const answer = typeof value === 'string' ? readAnswer(seal.decrypt(value, key)) : undefined
    const wanted =
      answer !== undefined && answer.accessToken !== unwanted && now() < sharing.freshUntil(answer)
    return wanted ? { answer, failed } : { failed }
  }

  async function askAndTell(unwanted: string | undefined): Promise<TokenAnswer | TokenRequestFailure> {
    const answer = await ask(unwanted)
    if (answer instanceof TokenRequestFailure) return answer
    const ttlMs = sharing.expiresAt(answer) - now()
    if (ttlMs > 0)
      await tryStore('set', undefined, () => store.set(key, seal.encrypt(textOf(answer), key), ttlMs))
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
        // The previous owner of the lock may have stored a token since the last read.
        return (await takeOver(unwanted)).answer ?? (await askAndTell(unwanted))
      } finally {
        await tryStore('unlock', undefined, () => store.unlock(key, owner))
      }
    }
  }
}

/** Serializes only those members of a token response that other processes can use. */
function textOf({ accessToken, requestedAt, expiresIn, scope }: TokenAnswer): string {
  return JSON.stringify({ accessToken, requestedAt, expiresIn, scope })
}

/** Parses a token response from the store. Returns undefined if the text is not a token response. */
function readAnswer(text: string | undefined): TokenAnswer | undefined {
  if (text === undefined) return undefined
  try {
    const { accessToken, requestedAt, expiresIn, scope } = JSON.parse(text) as Partial<TokenAnswer>
    if (typeof accessToken !== 'string' || accessToken === '' || typeof requestedAt !== 'number')
      return undefined
    if (typeof (expiresIn ?? 0) !== 'number' || typeof (scope ?? '') !== 'string') return undefined
    return { accessToken, requestedAt, expiresIn, scope }
  } catch {
    return undefined
  }
}

function pause(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms))
}
