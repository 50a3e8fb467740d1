/**
 * Shares revocations between replicas. The plugin reads the store two to three times a second, and whenever `watch`
 * reports a change. An error, an invalid result or no result within half a second counts as an outage
 * (`whileUnavailable`).
 */
export interface RevocationStore {
  /**
   * Stores a value under an id for `ttlMs` milliseconds, replacing an earlier value. After the promise resolves, a
   * new `read` must return the value. Ids have at most 64 characters, values at most 16384.
   */
  put(id: string, value: string, ttlMs: number): PromiseLike<unknown>
  /**
   * Returns the values that were stored since the `read` that returned this cursor. Without a cursor, or with an
   * unknown one, returns all values from the beginning.
   */
  read(cursor: string | undefined): PromiseLike<RevocationPage>
  /**
   * Calls `changed` after any process has stored a value, immediately if possible. Returns a function that stops the
   * calls. If it fails or misses a change, a revocation takes effect up to half a second later.
   */
  watch?(changed: () => void): (() => void) | PromiseLike<() => void>
}

/** What {@link RevocationStore} returns. */
export interface RevocationPage {
  /** The values in the order in which they were stored. */
  readonly values: readonly string[]
  /** For the next `read`. */
  readonly cursor: string
  /** Whether `values` start from the beginning, because the cursor was undefined or unknown. */
  readonly fromStart: boolean
  /** Whether there are more values to read now. */
  readonly hasMore: boolean
}
