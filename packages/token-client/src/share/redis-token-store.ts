import { isIoredis, isNodeRedis, redisConnection, redisText } from 'declared-options'
import { InvalidOptionError } from '../errors.js'
import type { TokenStore } from './token-store.js'

/** The methods of ioredis or iovalkey that {@link redisTokenStore} uses. */
export interface IoredisConnection {
  readonly status: string
  get(key: string): Promise<unknown>
  set(key: string, value: string, unit: 'PX', ttlMs: number): Promise<unknown>
  set(key: string, value: string, unit: 'PX', ttlMs: number, condition: 'NX'): Promise<unknown>
  eval(script: string, numberOfKeys: number, ...keysAndArguments: string[]): Promise<unknown>
}

/**
 * The methods of a client, cluster or pool of the npm package `redis` (version 4 or later) that {@link redisTokenStore}
 * uses.
 */
export interface NodeRedisConnection {
  readonly isOpen: boolean
  get(key: string): Promise<unknown>
  set(key: string, value: string, options: { PX: number; NX?: true }): Promise<unknown>
  eval(script: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>
}

/** A client for Redis or Valkey. */
export type RedisConnection = IoredisConnection | NodeRedisConnection

/**
 * Deletes the lock only if this process still owns it, because the lock may have expired and been acquired by another
 * process.
 */
const unlockScript =
  "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) else return 0 end"

/**
 * Creates a token store that keeps tokens in Redis or Valkey.
 * @param redis a client from ioredis, iovalkey or the npm package `redis`. The store neither connects nor closes the
 * client
 * @param prefix the prefix of every key. Default `oauth-token:`
 * @throws {InvalidOptionError} if `redis` is a client from another package
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
  const commands = commandsOf(redis)
  const lockOf = (key: string): string => `${prefix}${key}:lock`
  return {
    get: async key => redisText(await commands.get(prefix + key)),
    async set(key, value, ttlMs) {
      await commands.set(prefix + key, value, wholeMs(ttlMs))
    },
    lock: async (key, owner, ttlMs) =>
      redisText(await commands.setIfAbsent(lockOf(key), owner, wholeMs(ttlMs))) === 'OK',
    async unlock(key, owner) {
      await commands.unlock(lockOf(key), owner)
    },
  }
}

interface Commands {
  get(key: string): Promise<unknown>
  set(key: string, value: string, ttlMs: number): Promise<unknown>
  setIfAbsent(key: string, value: string, ttlMs: number): Promise<unknown>
  unlock(key: string, owner: string): Promise<unknown>
}

function commandsOf(redis: RedisConnection): Commands {
  if (isNodeRedis(redis))
    return {
      get: key => redis.get(key),
      set: (key, value, PX) => redis.set(key, value, { PX }),
      setIfAbsent: (key, value, PX) => redis.set(key, value, { PX, NX: true }),
      unlock: (key, owner) => redis.eval(unlockScript, { keys: [key], arguments: [owner] }),
    }
  if (isIoredis(redis))
    return {
      get: key => redis.get(key),
      set: (key, value, ttlMs) => redis.set(key, value, 'PX', ttlMs),
      setIfAbsent: (key, value, ttlMs) => redis.set(key, value, 'PX', ttlMs, 'NX'),
      unlock: (key, owner) => redis.eval(unlockScript, 1, key, owner),
    }
  throw new InvalidOptionError(
    `redisTokenStore expects ${redisConnection}. For any other client, pass an object with the methods get, set, lock and unlock as the option tokenStore.store`,
  )
}

function wholeMs(ttlMs: number): number {
  return Math.max(1, Math.round(ttlMs))
}
