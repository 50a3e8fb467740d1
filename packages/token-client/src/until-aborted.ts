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
  const ended = new AbortController()
  const aborted = new Promise<never>((_, reject) =>
    signal.addEventListener('abort', () => reject(signal.reason as Error), { signal: ended.signal }),
  )
  try {
    return await Promise.race([start(), aborted])
  } finally {
    ended.abort()
  }
}
