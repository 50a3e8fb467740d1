/** A value, or a promise for that value. */
export type MaybePromise<T> = T | Promise<T>

/**
 * Calls `next` with a value, or with the result of a promise. If the value is not a promise, `next` is called
 * synchronously, which is faster than `await`.
 */
export function andThen<T, R>(value: MaybePromise<T>, next: (value: T) => MaybePromise<R>): MaybePromise<R> {
  return value instanceof Promise ? value.then(next) : next(value)
}
