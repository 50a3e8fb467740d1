/**
 * Waits until the signal aborts: then this wait ends with the signal's reason, and what it waited for goes on for the
 * others.
 * @param start is not called when the signal has aborted already
 */
export async function untilAborted<T>(
  start: () => T | Promise<T>,
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
