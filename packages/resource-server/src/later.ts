/** A value, or a promise for that value. */
export type MaybePromise<T> = T | Promise<T>

/**
 * Calls `next` with the given value, or, if it is a promise, with its result. If the value is not a promise, `next` is
 * called synchronously, which is faster than `await`.
 */
export function andThen<T, R>(value: MaybePromise<T>, next: (value: T) => MaybePromise<R>): MaybePromise<R> {
  return value instanceof Promise ? value.then(next) : next(value)
}
