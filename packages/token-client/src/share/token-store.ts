/**
 * Where several processes keep the tokens they share. Any method may fail or hang: the client stops waiting after a time
 * limit, and requests tokens without the store.
 */
export interface TokenStore {
  /** The value, as it was set; undefined or null if there is none. */
  get(key: string): Promise<string | undefined | null>
  /** Stores a value for `ttlMs` milliseconds. */
  set(key: string, value: string, ttlMs: number): Promise<void>
  /** Takes the lock for `ttlMs` milliseconds, unless it is taken; returns whether it did. Must be atomic. */
  lock(key: string, owner: string, ttlMs: number): Promise<boolean>
  /** Releases the lock, if `owner` still holds it. */
  unlock(key: string, owner: string): Promise<void>
}
