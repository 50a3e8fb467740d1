import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Test } from 'tap'

/** The message of the errors in `faults`. Responses must not contain this message. */
export const internal = 'GET https://vault.internal/v1/secret?token=hvs.CAESI failed'

/** The ways in which a function passed as an option can fail. */
export const faults: Readonly<Record<string, () => never>> = {
  throws() {
    throw new Error(internal)
  },
  'throws text'() {
    throw internal
  },
  'throws undefined'() {
    throw undefined
  },
  'throws null'() {
    throw null
  },
  'throws 0'() {
    throw 0
  },
  rejects: () => Promise.reject(new Error(internal)) as never,
  'rejects with undefined': () => Promise.reject() as never,
  'rejects with null': () => Promise.reject(null) as never,
  'rejects with empty text': () => Promise.reject('') as never,
  'never settles': () => new Promise(() => {}) as never,
  'returns undefined': () => undefined as never,
  'returns null': () => null as never,
  'returns text': () => 'text' as never,
  'returns NaN': () => Number.NaN as never,
  'returns an object': () => ({}) as never,
}

/** Collects unhandled rejections and uncaught exceptions, which would otherwise terminate the process. */
export function watchProcess(t: Test): unknown[] {
  const fatal: unknown[] = []
  const note = (reason: unknown): void => void fatal.push(reason)
  process.on('unhandledRejection', note)
  process.on('uncaughtException', note)
  t.teardown(() => {
    process.off('unhandledRejection', note)
    process.off('uncaughtException', note)
  })
  return fatal
}

/** Waits until unhandled rejections have been reported. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await nextTurn()
}
