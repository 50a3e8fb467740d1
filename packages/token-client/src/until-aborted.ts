import { beforeAbort } from 'oauth-issuer-connection'

/**
 * Waits for a promise, and rejects with the signal's reason if the signal aborts. An abort does not stop the work,
 * because other callers may share the result.
 * @param start a function that starts the work and returns the promise. It is not called if the signal has already
 * aborted
 */
export async function untilAborted<T>(
  start: () => T | PromiseLike<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  if (signal === undefined) return start()
  signal.throwIfAborted()
  return beforeAbort(start(), signal)
}
