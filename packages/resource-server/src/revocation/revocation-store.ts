/**
 * Shares revocations between replicas. The plugin reads the store two to three times a second, and whenever `watch`
 * reports a change. If the store fails, returns an invalid result or does not respond within half a second, it counts
 * as unavailable (see the option `whileUnavailable`).
 */
export interface RevocationStore {
  /**
   * Stores a value under an id for `ttlMs` milliseconds, replacing any earlier value. Once the promise has resolved, a
   * new `read` must return the value. An id has at most 64 characters, and a value at most 16384.
   */
  put(id: string, value: string, ttlMs: number): PromiseLike<unknown>
  /**
   * Returns the values that were stored since the `read` that returned this cursor. If the cursor is undefined or
   * unknown, returns all values.
   */
  read(cursor: string | undefined): PromiseLike<RevocationPage>
  /**
   * Calls `changed` as soon as possible after any process has stored a value. Returns a function that stops these
   * calls. Without such a call, other processes apply a revocation up to half a second later.
   */
  watch?(changed: () => void): (() => void) | PromiseLike<() => void>
}

/** One page of values from a {@link RevocationStore}. */
export interface RevocationPage {
  /** The values in the order in which they were stored. */
  readonly values: readonly string[]
  /** The cursor to pass to the next `read`. */
  readonly cursor: string
  /** Whether this page starts from the beginning, because the cursor was undefined or unknown. */
  readonly fromStart: boolean
  /** Whether more values can be read immediately. */
  readonly hasMore: boolean
}
