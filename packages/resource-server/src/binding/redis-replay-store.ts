import { InvalidOptionError } from '../errors.js'
import type { ReplayStore } from './replay-store.js'

/** What {@link redisReplayStore} needs of a connection of ioredis or iovalkey. */
export interface IoredisConnection {
  readonly status: string
  set(key: string, value: string, unit: 'PX', ttlMs: number, condition: 'NX'): Promise<unknown>
}

/** What {@link redisReplayStore} needs of a client, cluster or pool of the npm package `redis`, from version 4. */
export interface NodeRedisConnection {
  readonly isOpen: boolean
  set(key: string, value: string, options: { PX: number; NX: true }): Promise<unknown>
}

/** A connection to Redis or Valkey. */
export type RedisConnection = IoredisConnection | NodeRedisConnection

/**
 * Keeps ids in Redis or Valkey, for replicas: a proof that one of them has seen is refused by all.
 * @param redis a connection of ioredis, iovalkey or `redis`, yours to connect and to close
 * @param prefix put before every key. Default `dpop-jti:`
 * @throws {InvalidOptionError} for a connection of another package
 */
export function redisReplayStore(redis: RedisConnection, prefix: string = 'dpop-jti:'): ReplayStore {
  const setIfAbsent = setIfAbsentOf(redis)
  return { add: async (id, ttlMs) => isOk(await setIfAbsent(prefix + id, Math.ceil(ttlMs))) }
}

type SetIfAbsent = (key: string, ttlMs: number) => Promise<unknown>

/** The two kinds take other arguments: given those of ioredis, `redis` overwrites the key and replies OK. */
function setIfAbsentOf(redis: RedisConnection): SetIfAbsent {
  if (isNodeRedis(redis)) return (key, ttlMs) => redis.set(key, '1', { PX: ttlMs, NX: true })
  if (isIoredis(redis)) return (key, ttlMs) => redis.set(key, '1', 'PX', ttlMs, 'NX')
  throw new InvalidOptionError(
    'redisReplayStore takes a connection of ioredis, iovalkey or the npm package redis (from version 4, without legacyMode). For another client, pass an object with add(id, ttlMs) as `dpop.replayStore`',
  )
}

/** What callers without types may pass. */
type Given =
  | {
      readonly set?: unknown
      readonly isOpen?: unknown
      readonly status?: unknown
      readonly options?: unknown
    }
  | null
  | undefined

function isNodeRedis(redis: Given): redis is NodeRedisConnection {
  const { legacyMode } = (redis?.options ?? {}) as { readonly legacyMode?: unknown }
  return typeof redis?.set === 'function' && typeof redis.isOpen === 'boolean' && legacyMode !== true
}

function isIoredis(redis: Given): redis is IoredisConnection {
  return typeof redis?.set === 'function' && typeof redis.status === 'string'
}

/** Clients can be set up to give Buffers. */
function isOk(reply: unknown): boolean {
  return (Buffer.isBuffer(reply) ? reply.toString() : reply) === 'OK'
}
