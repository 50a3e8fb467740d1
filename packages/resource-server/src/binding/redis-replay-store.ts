import { isIoredis, isNodeRedis, redisConnection, redisText } from 'declared-options'
import { InvalidOptionError } from '../errors.js'
import type { ReplayStore } from './replay-store.js'

/** The parts of an ioredis or iovalkey connection that {@link redisReplayStore} uses. */
export interface IoredisConnection {
  readonly status: string
  set(key: string, value: string, unit: 'PX', ttlMs: number, condition: 'NX'): Promise<unknown>
}

/**
 * The parts of a client, cluster or pool of the npm package `redis` (version 4 or later) that {@link redisReplayStore}
 * uses.
 */
export interface NodeRedisConnection {
  readonly isOpen: boolean
  set(key: string, value: string, options: { PX: number; NX: true }): Promise<unknown>
}

/** A connection to Redis or Valkey. */
export type RedisConnection = IoredisConnection | NodeRedisConnection

/**
 * Stores the ids of used DPoP proofs in Redis or Valkey. Every replica refuses a proof that one replica has accepted.
 * @param redis an ioredis, iovalkey or `redis` connection. The application connects and closes it
 * @param prefix the prefix of every key. Default `dpop-jti:`
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
