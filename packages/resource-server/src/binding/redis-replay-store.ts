import { isIoredis, isNodeRedis, redisConnection, redisText } from 'declared-options'
import { InvalidOptionError } from '../errors.js'
import type { ReplayStore } from './replay-store.js'

/** The methods that {@link redisReplayStore} calls on a client from ioredis or iovalkey. */
export interface IoredisConnection {
  readonly status: string
  set(key: string, value: string, unit: 'PX', ttlMs: number, condition: 'NX'): Promise<unknown>
}

/**
 * The members of a client, cluster or pool from the npm package `redis` (version 4 or later) that {@link
 * redisReplayStore} needs.
 */
export interface NodeRedisConnection {
  readonly isOpen: boolean
  set(key: string, value: string, options: { PX: number; NX: true }): Promise<unknown>
}

/** A client for Redis or Valkey. */
export type RedisConnection = IoredisConnection | NodeRedisConnection

/**
 * Stores the ids of used DPoP proofs in Redis or Valkey, so that a proof accepted by one replica is refused by all
 * others.
 * @param redis a client from ioredis, iovalkey or the npm package `redis`. The application must connect and close the
 * client
 * @param prefix the prefix of every Redis key. Default: `dpop-jti:`
 * @throws {InvalidOptionError} if `redis` is not a client from one of these packages
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
    `redisReplayStore expects ${redisConnection}. For any other client, set dpop.replayStore to an object with the method add(id, ttlMs)`,
  )
}
