import { randomUUID } from 'node:crypto'
import { isIoredis, isNodeRedis, redisConnection, redisText } from 'declared-options'
import { InvalidOptionError } from '../errors.js'
import type { RevocationPage, RevocationStore } from './revocation-store.js'

/** The members of an ioredis or iovalkey client that {@link redisRevocationStore} needs. */
export interface IoredisPubSub {
  readonly status: string
  eval(script: string, numberOfKeys: number, ...keysAndArguments: string[]): Promise<unknown>
  duplicate(): IoredisSubscriber
}

/** A duplicate of an ioredis or iovalkey client. The duplicate subscribes to changes. */
export interface IoredisSubscriber {
  on(event: string, listener: () => void): unknown
  subscribe(channel: string): Promise<unknown>
  disconnect(): void
}

/**
 * The members of a client or cluster from the npm package `redis` (version 4 or later) that {@link
 * redisRevocationStore} needs.
 */
export interface NodeRedisPubSub {
  readonly isOpen: boolean
  eval(script: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>
  duplicate(): NodeRedisSubscriber
}

/** A duplicate of a client from the npm package `redis`. The duplicate subscribes to changes. */
export interface NodeRedisSubscriber {
  on(event: 'error', listener: () => void): unknown
  connect(): Promise<unknown>
  subscribe(channel: string, listener: () => void): Promise<unknown>
  disconnect(): unknown
}

/** A Redis or Valkey client that can be duplicated for a subscription. */
export type RedisPubSub = IoredisPubSub | NodeRedisPubSub

/**
 * Shares revocations between replicas through Redis or Valkey (version 5 or later).
 * @param redis a client from ioredis, iovalkey or the npm package `redis`, but not a pool. The application must connect
 * and close the client. The store duplicates the client for a subscription
 * @param prefix the prefix of all Redis keys. The store puts the prefix in braces, so that a cluster stores all keys in
 * one hash slot. Default: `oauth-revocations`
 * @throws {InvalidOptionError} if `redis` is not a client from one of these packages
 */
export function redisRevocationStore(
  redis: RedisPubSub,
  prefix: string = 'oauth-revocations',
): RevocationStore {
  const commands = commandsOf(redis)
  const channel = `{${prefix}}:changed`
  const keys = ['meta', 'changes', 'ends', 'values'].map(name => `{${prefix}}:${name}`)
  return {
    put: (id, value, ttlMs) =>
      commands.run(putScript, keys, [id, value, String(Math.ceil(ttlMs)), randomUUID(), channel]),
    async read(cursor = '') {
      const [epoch = '', version = '0'] = cursor.split(' ')
      return toPage(await commands.run(readScript, keys, [epoch, version, String(pageSize)]))
    },
    watch: changed => commands.subscribe(channel, changed),
  }
}

const pageSize = 500

/**
 * Stores a value with a new version number, so that readers can ask for newer values only. Values expire according to
 * the clock of the Redis server. If the Redis keys are lost, `epoch` changes, so that readers start from the beginning.
 */
const putScript = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', now, 'LIMIT', 0, 100)) do
  redis.call('ZREM', KEYS[2], id)
  redis.call('ZREM', KEYS[3], id)
  redis.call('HDEL', KEYS[4], id)
end
redis.call('HSETNX', KEYS[1], 'epoch', ARGV[4])
local version = redis.call('HINCRBY', KEYS[1], 'version', 1)
redis.call('ZADD', KEYS[2], version, ARGV[1])
redis.call('ZADD', KEYS[3], now + ARGV[3], ARGV[1])
redis.call('HSET', KEYS[4], ARGV[1], ARGV[2])
for _, key in ipairs(KEYS) do
  if redis.call('PTTL', key) < tonumber(ARGV[3]) then redis.call('PEXPIRE', key, ARGV[3]) end
end
redis.call('PUBLISH', ARGV[5], '')
return 'OK'`

/**
 * Returns the epoch, the version, two flags and the values. The flags indicate whether the values start from the
 * beginning, and whether more values follow.
 */
const readScript = `
local epoch = redis.call('HGET', KEYS[1], 'epoch') or ''
local version = tonumber(redis.call('HGET', KEYS[1], 'version') or '0')
local from, start = tonumber(ARGV[2]) or 0, '0'
if epoch ~= ARGV[1] or from > version or from == 0 then from, start = 0, '1' end
local found = redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. from, '+inf', 'WITHSCORES', 'LIMIT', 0, ARGV[3])
local ids = {}
for index = 1, #found, 2 do ids[#ids + 1] = found[index] end
local more = '0'
if #ids == tonumber(ARGV[3]) then more, version = '1', found[#found] end
local reply = { epoch, tostring(version), start, more }
if #ids > 0 then
  for _, value in ipairs(redis.call('HMGET', KEYS[4], unpack(ids))) do reply[#reply + 1] = value or '' end
end
return reply`

function toPage(reply: unknown): RevocationPage {
  const texts = Array.isArray(reply) ? reply.map(redisText) : []
  const [epoch, version, start, more, ...values] = texts.filter(text => text !== undefined)
  if (epoch === undefined || version === undefined || texts.includes(undefined))
    throw new Error('the Redis script returned an unexpected reply')
  return {
    values: values.filter(value => value !== ''),
    cursor: `${epoch} ${version}`,
    fromStart: start === '1',
    hasMore: more === '1',
  }
}

interface Commands {
  run(script: string, keys: string[], args: string[]): Promise<unknown>
  /** Returns a function that unsubscribes. */
  subscribe(channel: string, changed: () => void): () => void
}

function commandsOf(redis: RedisPubSub): Commands {
  if (isNodeRedis(redis) && typeof redis.duplicate === 'function' && !('totalClients' in redis))
    return {
      run: (script, keys, args) => redis.eval(script, { keys, arguments: args }),
      subscribe: (channel, changed) => subscribeNodeRedis(redis.duplicate(), channel, changed),
    }
  if (isIoredis(redis) && typeof redis.duplicate === 'function')
    return {
      run: (script, keys, args) => redis.eval(script, keys.length, ...keys, ...args),
      subscribe: (channel, changed) => subscribeIoredis(redis.duplicate(), channel, changed),
    }
  throw new InvalidOptionError(
    `redisRevocationStore expects ${redisConnection}, but not a pool, because a pool cannot subscribe. For any other client, set revocation.store to an object with the methods put(id, value, ttlMs) and read(cursor)`,
  )
}

function ignore(): void {}

/**
 * Subscribes whenever the client connects, because ioredis does not repeat a failed subscription after it reconnects.
 */
function subscribeIoredis(connection: IoredisSubscriber, channel: string, changed: () => void): () => void {
  connection.on('error', ignore)
  connection.on('message', changed)
  connection.on('ready', () => {
    connection.subscribe(channel).then(changed, ignore)
  })
  return () => connection.disconnect()
}

/** Subscribes only once, because the npm package `redis` renews its subscriptions after it reconnects. */
function subscribeNodeRedis(
  connection: NodeRedisSubscriber,
  channel: string,
  changed: () => void,
): () => void {
  connection.on('error', ignore)
  const connected = connection
    .connect()
    .then(() => connection.subscribe(channel, changed))
    .then(changed)
    .catch(ignore)
  return () => void connected.then(() => connection.disconnect()).catch(ignore)
}
