/**
 * Where several processes keep the tokens they share. Every method may fail or hang: the client bounds its wait and
 * goes on alone.
 */
export interface TokenStore {
  /** The value, as it was set; undefined when there is none. */
  get(key: string): Promise<string | undefined>
  /** Keeps a value for `ttlMs` milliseconds. */
  set(key: string, value: string, ttlMs: number): Promise<void>
  /** Takes the lock for `ttlMs` milliseconds unless somebody has it; tells whether it was taken. Has to be atomic. */
  lock(key: string, owner: string, ttlMs: number): Promise<boolean>
  /** Gives the lock back, if `owner` still has it. */
  unlock(key: string, owner: string): Promise<void>
}
