/**
 * Waits for a promise until a time limit is reached, because a promise from a user's function may never settle.
 * @param ms the time limit in milliseconds
 * @param late returns the result to use if the promise does not settle in time
 */
export function within<T, L>(ms: number, work: PromiseLike<T>, late: () => L | Promise<L>): Promise<T | L> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => resolve(late()), ms)
    Promise.resolve(work)
      .finally(() => clearTimeout(timer))
      .then(resolve, reject)
  })
}

/**
 * Waits for a promise, and rejects as soon as a signal aborts.
 * @param late a function that returns the reason for the rejection. Default: the signal's own reason
 */
export function beforeAbort<T>(
  work: T | PromiseLike<T>,
  signal: AbortSignal,
  late: () => unknown = () => signal.reason,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(late())
    if (signal.aborted) onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    Promise.resolve(work)
      .finally(() => signal.removeEventListener('abort', onAbort))
      .then(resolve, reject)
  })
}
