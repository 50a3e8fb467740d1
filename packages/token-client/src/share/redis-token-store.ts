import type { TokenStore } from './token-store.js'

/** A connection to Redis or Valkey, as ioredis and iovalkey have it. */
export interface RedisConnection {
  get(key: string): Promise<string | null>
  set(key: string, value: string, unit: 'PX', ttlMs: number): Promise<unknown>
  set(key: string, value: string, unit: 'PX', ttlMs: number, condition: 'NX'): Promise<unknown>
  eval(script: string, numberOfKeys: number, ...keysAndArguments: string[]): Promise<unknown>
}

/** Compare and delete: if the lock has expired and another process has taken it, it stays theirs. */
const unlockScript =
  "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) else return 0 end"

/**
 * Keeps tokens in Redis or Valkey.
 * @param redis a connection of ioredis or iovalkey, yours to close
 * @param prefix put before every key. Default `oauth-token:`
 *
 * @example
 * ```ts
 * import { Redis } from 'ioredis'
 * import { createTokenClient, redisTokenStore } from 'fastify-token-client'
 *
 * const client = createTokenClient({
 *   baseUrl: 'https://receipts.example.com',
 *   issuer: 'https://login.example.com',
 *   clientId: 'payment',
 *   clientSecret: process.env.CLIENT_SECRET,
 *   tokenStore: {
 *     store: redisTokenStore(new Redis('redis://127.0.0.1:6379')),
 *     encryptionKeys: [process.env.TOKEN_STORE_KEY ?? ''],
 *   },
 * })
 * ```
 */
export function redisTokenStore(redis: RedisConnection, prefix: string = 'oauth-token:'): TokenStore {
  const lockOf = (key: string): string => `${prefix}${key}:lock`
  return {
    get: key => redis.get(prefix + key),
    async set(key, value, ttlMs) {
      await redis.set(prefix + key, value, 'PX', Math.max(1, Math.round(ttlMs)))
    },
    lock: async (key, owner, ttlMs) =>
      (await redis.set(lockOf(key), owner, 'PX', Math.max(1, Math.round(ttlMs)), 'NX')) === 'OK',
    async unlock(key, owner) {
      await redis.eval(unlockScript, 1, lockOf(key), owner)
    },
  }
}
