/**
 * A store through which several processes share tokens. If a method fails or hangs, the client requests tokens without
 * the store.
 */
export interface TokenStore {
  /** Returns the stored value, or undefined or null if the key is missing. */
  get(key: string): Promise<string | undefined | null>
  /** Stores a value for `ttlMs` milliseconds. */
  set(key: string, value: string, ttlMs: number): Promise<void>
  /**
   * Acquires the lock for `ttlMs` milliseconds, unless another owner holds the lock. Returns true if the lock was
   * acquired. Must be atomic.
   */
  lock(key: string, owner: string, ttlMs: number): Promise<boolean>
  /** Releases the lock if `owner` holds it. */
  unlock(key: string, owner: string): Promise<void>
}
