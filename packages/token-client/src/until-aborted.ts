import { beforeAbort } from 'oauth-issuer-connection'

/**
 * Waits for `start`, or rejects with the reason of the signal. Only this wait ends then: the work continues for others
 * that wait for it.
 * @param start not called if the signal has aborted already
 */
export async function untilAborted<T>(
  start: () => T | PromiseLike<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  if (signal === undefined) return start()
  signal.throwIfAborted()
  return beforeAbort(start(), signal)
}
