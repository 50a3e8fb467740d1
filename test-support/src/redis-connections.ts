import { Redis } from 'ioredis'
import { Redis as Valkey } from 'iovalkey'
import { createClient, createClientPool } from 'redis'
import { createClient as createClient4 } from 'redis-4'
import { createClient as createClient5 } from 'redis-5'
import type { Test } from 'tap'

// oxlint-disable-next-line typescript/no-generated-empty-object-type -- clients without modules and scripts
type None = Record<never, never>
type Connection =
  | Redis
  | Valkey
  | ReturnType<typeof createClient<None, None, None, 3, None>>
  | ReturnType<typeof createClientPool<None, None, None, 3, None>>
  | ReturnType<typeof createClient5<None, None, None, 2, None>>
  | ReturnType<typeof createClient4<None, None, None>>
type Connect = (t: Test, socket: string) => Promise<Connection>

/** Connects to Redis with each supported client package. While the server is down, commands fail immediately. */
export const redisPackages: Readonly<Record<string, Connect>> = {
  async ioredis(t, socket) {
    const redis = new Redis(socket, { maxRetriesPerRequest: 0, retryStrategy: () => null })
    redis.on('error', () => {})
    t.teardown(() => redis.disconnect())
    return redis
  },
  async iovalkey(t, socket) {
    const redis = new Valkey(socket, { maxRetriesPerRequest: 0, retryStrategy: () => null })
    redis.on('error', () => {})
    t.teardown(() => redis.disconnect())
    return redis
  },
  async 'redis 6'(t, path) {
    const redis = createClient({ socket: { path, reconnectStrategy: false } })
    redis.on('error', () => {})
    t.teardown(() => redis.isOpen && redis.destroy())
    return redis.connect()
  },
  async 'a pool of redis 6'(t, path) {
    const pool = createClientPool({ socket: { path, reconnectStrategy: false } })
    pool.on('error', () => {})
    t.teardown(() => pool.isOpen && pool.destroy())
    await pool.connect()
    return pool
  },
  async 'redis 5'(t, path) {
    const redis = createClient5({ socket: { path, reconnectStrategy: false } })
    redis.on('error', () => {})
    t.teardown(() => redis.isOpen && redis.destroy())
    return redis.connect()
  },
  async 'redis 4'(t, path) {
    const redis = createClient4({ socket: { path, reconnectStrategy: false } })
    redis.on('error', () => {})
    t.teardown(() => redis.isOpen && redis.disconnect())
    return redis.connect()
  },
}
