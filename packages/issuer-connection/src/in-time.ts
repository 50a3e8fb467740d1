/**
 * The outcome of work, or of `late` if it does not settle in time: a function of the user may never settle.
 * @param ms milliseconds
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
 * The outcome of work, unless a signal aborts before it settles.
 * @param late what the promise rejects with then. Default: the signal's reason
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
