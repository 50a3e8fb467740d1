import { isIoredis, isNodeRedis, redisConnection, redisText } from 'declared-options'
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
  return { add: async (id, ttlMs) => redisText(await setIfAbsent(prefix + id, Math.ceil(ttlMs))) === 'OK' }
}

type SetIfAbsent = (key: string, ttlMs: number) => Promise<unknown>

function setIfAbsentOf(redis: RedisConnection): SetIfAbsent {
  if (isNodeRedis(redis)) return (key, ttlMs) => redis.set(key, '1', { PX: ttlMs, NX: true })
  if (isIoredis(redis)) return (key, ttlMs) => redis.set(key, '1', 'PX', ttlMs, 'NX')
  throw new InvalidOptionError(
    `redisReplayStore expects ${redisConnection}. For another client, pass an object with add(id, ttlMs) as \`dpop.replayStore\``,
  )
}
