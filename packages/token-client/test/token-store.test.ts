import { randomUUID } from 'node:crypto'
import fastify, { type FastifyInstance } from 'fastify'
import { Redis } from 'ioredis'
import { createClient as createClient4 } from 'redis-4'
import t, { type Test } from 'tap'
import tokenClient, { redisTokenStore, type TokenStore } from 'fastify-token-client'
import { redisPackages } from 'test-support/redis-connections'
import { noRedis, startRedis } from 'test-support/redis-server'
import { verifyTokenStore } from '#src/share/verify-token-store.js'

for (const [name, connect] of Object.entries(redisPackages))
  t.test(`redisTokenStore stores values and locks through ${name}`, { skip: noRedis }, async t => {
    const { socket, stop } = await startRedis(t)
    const store = redisTokenStore(await connect(t, socket))
    t.equal(await verifyTokenStore(store, 5_000), undefined)

    const key = randomUUID()
    t.equal(await store.get(key), undefined)
    await store.set(key, 'first', 50_000)
    await store.set(key, 'sécond', 60_000.4)
    t.equal(await store.get(key), 'sécond')
    const owners = ['a', 'b', 'c', 'd']
    const locked = await Promise.all(owners.map(owner => store.lock(key, owner, 30_000)))
    t.equal(locked.filter(Boolean).length, 1, 'one of four that come together')

    const redis = new Redis(socket)
    t.teardown(() => redis.disconnect())
    redis.on('error', () => {})
    const ttl = await redis.pttl(`oauth-token:${key}`)
    t.ok(ttl > 50_000 && ttl <= 60_000)
    const lockTtl = await redis.pttl(`oauth-token:${key}:lock`)
    t.ok(lockTtl > 20_000 && lockTtl <= 30_000)

    await stop()
    await t.rejects(store.get(key))
    t.match(await verifyTokenStore(store, 5_000), { isWrong: false, operation: 'get' })
  })

t.test('redisTokenStore names the packages that it supports', async t => {
  const others: unknown[] = [
    undefined,
    null,
    {},
    'redis://127.0.0.1',
    { get: async () => null, set: async () => 'OK' },
    { get: async () => null, set: async () => 'OK', connected: true }, // redis 3
    { isOpen: true },
    { status: 'ready' },
    createClient4({ legacyMode: true }),
  ]
  for (const redis of others)
    t.throws(() => redisTokenStore(redis as never), {
      code: 'TOKEN_CLIENT_INVALID_OPTION',
      message:
        /redisTokenStore expects a client from ioredis, iovalkey or the npm package redis.*get, set, lock and unlock/,
    })
})

t.test('redisTokenStore accepts replies of Redis as Buffers', async t => {
  t.equal(await storeOf(Buffer.from('tökens')).get('key'), 'tökens')
  t.equal(await storeOf(null).get('key'), undefined)
  t.equal(await storeOf(Buffer.from('OK')).lock('key', 'owner', 1), true)
  for (const value of [null, undefined, true, 1, Buffer.from('QUEUED'), {}])
    t.equal(await storeOf(value).lock('key', 'owner', 1), false)
})

const reply = (value: unknown) => async (): Promise<unknown> => value
const storeOf = (value: unknown): TokenStore =>
  redisTokenStore({ isOpen: true, get: reply(value), set: reply(value), eval: reply(value) })

/** A store that works, with these methods instead of its own. */
function memoryStore(changes: Readonly<Record<string, unknown>> = {}): TokenStore {
  const [values, locks] = [new Map<string, string>(), new Map<string, string>()]
  return {
    get: async key => values.get(key),
    set: async (key, value) => void values.set(key, value),
    lock: async (key, owner) => !locks.has(key) && locks.set(key, owner).size > 0,
    unlock: async (key, owner) => void (locks.get(key) === owner && locks.delete(key)),
    ...changes,
  }
}

const ok = async (): Promise<string> => 'OK'
const wrong: readonly [name: string, store: TokenStore, reason: RegExp][] = [
  [
    'returns values that were never set',
    memoryStore({ get: async () => 'x' }),
    /get returned other text, expected undefined/,
  ],
  [
    'returns empty text for a missing key',
    memoryStore({ get: async () => '' }),
    /get returned other text, expected undefined/,
  ],
  [
    'returns an object for a missing key',
    memoryStore({ get: async () => ({}) }),
    /get returned a value of type object/,
  ],
  ['loses values', memoryStore({ set: ok }), /get returned undefined, expected the text that was set/],
  ['returns Buffers', gettingBuffers(), /get returned a Buffer, expected the text that was set/],
  ['always takes the lock', memoryStore({ lock: async () => true }), /lock returned true, expected false/],
  ['never takes the lock', memoryStore({ lock: async () => false }), /lock returned false, expected true/],
  ['returns OK for a lock', memoryStore({ lock: ok }), /lock returned other text, expected true/],
  [
    'returns 1 for a lock',
    memoryStore({ lock: async () => 1 }),
    /lock returned a value of type number, expected true/,
  ],
  [
    'returns nothing for a lock',
    memoryStore({ lock: async () => {} }),
    /lock returned undefined, expected true/,
  ],
  [
    'never releases a lock',
    memoryStore({ unlock: ok }),
    /lock returned false, expected true \(the owner has released the lock\)/,
  ],
  [
    'releases a lock for any owner',
    releasingForAnyone(),
    /lock returned true, expected false \(only the owner of the lock may release/,
  ],
]

function gettingBuffers(): TokenStore {
  const store = memoryStore()
  const get = async (key: string): Promise<unknown> => {
    const value = await store.get(key)
    return typeof value === 'string' ? Buffer.from(value) : null
  }
  return { ...store, get: get as never }
}

function releasingForAnyone(): TokenStore {
  const locks = new Set<string>()
  return memoryStore({
    lock: async (key: string) => !locks.has(key) && locks.add(key).size > 0,
    unlock: async (key: string) => void locks.delete(key),
  })
}

const silent: readonly [name: string, store: TokenStore, operation: string][] = (
  ['get', 'set', 'lock', 'unlock'] as const
).flatMap(operation =>
  Object.entries({
    throws: () => {
      throw new Error('down')
    },
    'throws undefined': () => {
      throw undefined
    },
    rejects: () => Promise.reject(new Error('down')),
    'rejects with undefined': () => Promise.reject(),
    'never settles': () => new Promise(() => {}),
  }).map(
    ([name, fault]) =>
      [`whose ${operation} ${name}`, memoryStore({ [operation]: fault }), operation] as const,
  ),
)

function appWith(t: Test, store: TokenStore, lines: object[]): FastifyInstance {
  const app = fastify({
    logger: {
      level: 'warn',
      stream: { write: (line: string) => void lines.push(JSON.parse(line) as object) },
    },
  })
  t.teardown(() => app.close())
  app.register(tokenClient, {
    name: 'receipts',
    baseUrl: 'https://receipts.example.com',
    issuer: 'https://login.example.com',
    clientId: 'payment',
    clientSecret: 'a secret',
    prefetch: 'lazy',
    tokenStore: { store, encryptionKeys: 'none', timeoutMs: 20 },
  })
  return app
}

t.test('a store that returns wrong results stops the start', async t => {
  for (const [name, store, reason] of wrong)
    await t.rejects(
      async () => appWith(t, store, []).ready(),
      {
        code: 'TOKEN_CLIENT_INVALID_OPTION',
        message: new RegExp(`option \`tokenStore\\.store\` cannot be used: ${reason.source}`),
      },
      name,
    )
})

t.test('an unresponsive store is logged and does not stop the start', async t => {
  for (const [name, store, operation] of silent) {
    const lines: object[] = []
    await appWith(t, store, lines).ready()
    t.match(lines, [{ level: 40, client: 'receipts', operation, msg: /token store is unavailable/ }], name)
    t.equal(lines.length, 1)
  }
})

t.test('a working store causes no log line, even if its methods return no promises', async t => {
  const values = new Map<string, string>()
  const locks = new Map<string, string>()
  const synchronous = {
    get: (key: string) => values.get(key) ?? null,
    set: (key: string, value: string) => void values.set(key, value),
    lock: (key: string, owner: string) => !locks.has(key) && locks.set(key, owner).size > 0,
    unlock: (key: string, owner: string) => void (locks.get(key) === owner && locks.delete(key)),
  }
  for (const store of [memoryStore(), synchronous as never]) {
    const lines: object[] = []
    await appWith(t, store, lines).ready()
    t.strictSame(lines, [])
  }
})
