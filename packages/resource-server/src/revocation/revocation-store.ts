/**
 * Shares revocations between replicas. The plugin asks it for news two to three times a second and whenever `watch` calls
 * back. An error, any other answer, or none within half a second counts as an outage (`whileUnavailable`).
 */
export interface RevocationStore {
  /**
   * Stores a value under an id, in place of the earlier one, for `ttlMs` milliseconds. A `read` that begins after this has
   * resolved must return the value. Ids have at most 64 characters, values at most 16384.
   */
  put(id: string, value: string, ttlMs: number): PromiseLike<unknown>
  /**
   * Returns the values that were put since the `read` that returned this cursor; without a cursor, or with one that the
   * store does not know (any longer), all values from the start.
   */
  read(cursor: string | undefined): PromiseLike<RevocationPage>
  /**
   * Calls `changed` after any process has put a value, at once if possible. Returns how to stop. It may fail or miss a
   * change: without it, a revocation takes effect up to half a second later.
   */
  watch?(changed: () => void): (() => void) | PromiseLike<() => void>
}

/** What {@link RevocationStore} returns. */
export interface RevocationPage {
  /** In the order in which they were put. */
  readonly values: readonly string[]
  /** For the next `read`. */
  readonly cursor: string
  /** Whether `values` begin with the first one that the store has: the cursor was undefined or unknown. */
  readonly fromStart: boolean
  /** Whether there are more values, to be read at once. */
  readonly hasMore: boolean
}
