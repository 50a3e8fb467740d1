import { randomUUID } from 'node:crypto'
import { isIoredis, isNodeRedis, redisConnection, redisText } from 'declared-options'
import { InvalidOptionError } from '../errors.js'
import type { RevocationPage, RevocationStore } from './revocation-store.js'

/** What {@link redisRevocationStore} needs of a connection of ioredis or iovalkey. */
export interface IoredisPubSub {
  readonly status: string
  eval(script: string, numberOfKeys: number, ...keysAndArguments: string[]): Promise<unknown>
  duplicate(): IoredisSubscriber
}

/** A second connection of ioredis or iovalkey. */
export interface IoredisSubscriber {
  on(event: string, listener: () => void): unknown
  subscribe(channel: string): Promise<unknown>
  disconnect(): void
}

/** What {@link redisRevocationStore} needs of a client or cluster of the npm package `redis`, from version 4. */
export interface NodeRedisPubSub {
  readonly isOpen: boolean
  eval(script: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>
  duplicate(): NodeRedisSubscriber
}

/** A second connection of `redis`. */
export interface NodeRedisSubscriber {
  on(event: 'error', listener: () => void): unknown
  connect(): Promise<unknown>
  subscribe(channel: string, listener: () => void): Promise<unknown>
  disconnect(): unknown
}

/** A connection to Redis or Valkey that can be duplicated to subscribe. */
export type RedisPubSub = IoredisPubSub | NodeRedisPubSub

/**
 * Shares revocations in Redis or Valkey, from version 5: at one replica, they take effect at all of them.
 * @param redis a connection of ioredis, iovalkey or `redis` (not a pool), yours to connect and to close; it is duplicated
 * to subscribe
 * @param prefix put before every key, in braces, so that a cluster keeps all keys in one place. Default
 * `oauth-revocations`
 * @throws {InvalidOptionError} for a connection of another package
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
 * Numbers each change, so that readers ask for what is new. The end of a value counts by the clock of Redis. `epoch` tells
 * a new set of keys from one that was lost.
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

/** Replies with epoch, version, whether from the start, whether there is more, and the values. */
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
    throw new Error('Redis replied in another way than the script')
  return {
    values: values.filter(value => value !== ''),
    cursor: `${epoch} ${version}`,
    fromStart: start === '1',
    hasMore: more === '1',
  }
}

interface Commands {
  run(script: string, keys: string[], args: string[]): Promise<unknown>
  /** Returns how to stop. */
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
    `redisRevocationStore expects ${redisConnection}, and not a pool, which cannot subscribe. For another client, pass an object with put(id, value, ttlMs) and read(cursor) as \`revocation.store\``,
  )
}

function ignore(): void {}

/** Subscribes anew with each connection: a subscription that failed once would stay away. */
function subscribeIoredis(connection: IoredisSubscriber, channel: string, changed: () => void): () => void {
  connection.on('error', ignore)
  connection.on('message', changed)
  connection.on('ready', () => {
    connection.subscribe(channel).then(changed, ignore)
  })
  return () => connection.disconnect()
}

/** `redis` subscribes again by itself when it has reconnected. */
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
