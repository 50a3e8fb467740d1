import { beforeAbort } from 'oauth-issuer-connection'

/**
 * Waits for a promise, or rejects with the reason of the signal. The work itself continues for other callers.
 * @param start starts the work. Not called if the signal has already aborted
 */
export async function untilAborted<T>(
  start: () => T | PromiseLike<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  if (signal === undefined) return start()
  signal.throwIfAborted()
  return beforeAbort(start(), signal)
}
