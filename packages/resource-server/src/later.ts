/** A value that is there now, or a promise of it. */
export type MaybePromise<T> = T | Promise<T>

/** Goes on with a value: at once if it is there, so that a request that waits for nothing stays synchronous. */
export function andThen<T, R>(value: MaybePromise<T>, next: (value: T) => MaybePromise<R>): MaybePromise<R> {
  return value instanceof Promise ? value.then(next) : next(value)
}
