import { Redis } from 'ioredis'
import { createClient as createClient4 } from 'redis-4'
import t, { type Test } from 'tap'
import { redisRevocationStore, type RedisPubSub, type RevocationOptions } from 'fastify-resource-server'
import { redisPackages } from 'test-support/redis-connections'
import { noRedis, startRedis } from 'test-support/redis-server'
import { makeToken, startReplica } from './revocation-replicas.js'

const hour = 3_600_000
const skip = { skip: noRedis }

/** A connection that connects again within milliseconds, so that no test waits for it. */
function connect(t: Test, socket: string): Redis {
  const redis = new Redis(socket, { retryStrategy: () => 20, maxRetriesPerRequest: 0 })
  redis.on('error', () => {})
  t.teardown(() => redis.disconnect())
  return redis
}

const sharedBy = (redis: RedisPubSub, options: Partial<RevocationOptions> = {}): RevocationOptions => ({
  store: redisRevocationStore(redis),
  whileUnavailable: 'refuse',
  ...options,
})

for (const [name, open] of Object.entries(redisPackages)) {
  if (name.includes('pool')) continue
  t.test(`refuses cached tokens on other replicas after a revocation: ${name}`, skip, async t => {
    const { socket, stop } = await startRedis(t)
    const [one, two] = await Promise.all(
      [0, 1].map(async () => startReplica(t, sharedBy((await open(t, socket)) as RedisPubSub))),
    )
    if (one === undefined || two === undefined) throw new Error('unreachable')
    const [token, other] = [makeToken(), makeToken({ client_id: 'shop', sub: 'shop', jti: 'two' })]
    for (const replica of [one, two])
      for (const good of [token, other]) t.equal(await replica.status(good), 200)

    const startedAt = performance.now()
    const revoked = two.line('tokens revoked')
    await one.app.oauth.revoke({ clientId: 'payment' }, { until: Date.now() + hour })
    t.equal(await one.status(token), 401)
    await revoked
    const tookMs = performance.now() - startedAt
    t.ok(tookMs < 1_000, `${tookMs} ms`)
    t.comment(`${name}: ${Math.round(tookMs)} ms`)
    t.equal(await two.status(token), 401)
    t.equal(await two.status(other), 200)

    const undone = one.line('revocation undone')
    t.equal(await two.app.oauth.unrevoke({ clientId: 'payment' }), true)
    await undone
    for (const replica of [one, two]) t.equal(await replica.status(token), 200)

    await stop()
    await Promise.all([one, two].map(replica => replica.line('the revocation store is unavailable')))
    t.equal(await one.status(token), 503)
    await t.rejects(one.app.oauth.revoke({ jti: 'one' }, { until: Date.now() + hour }), {
      code: 'OAUTH_REVOCATION_FAILED',
      isInEffectHere: true,
    })
    t.equal(await one.status(token), 401, 'what is known to be revoked is not 503')
    t.equal(await two.status(token), 503)
  })
}

t.test('reads earlier revocations before a new replica accepts requests', skip, async t => {
  const { socket } = await startRedis(t)
  const one = await startReplica(t, sharedBy(connect(t, socket)))
  const until = Date.now() + hour
  for (let index = 0; index < 1_100; index += 1) await one.app.oauth.revoke({ jti: `${index}` }, { until })
  await one.app.oauth.revoke({ subject: 'undone' }, { until })
  await one.app.oauth.unrevoke({ subject: 'undone' })
  await one.app.close()
  const two = await startReplica(t, sharedBy(connect(t, socket)))
  for (const [jti, status] of [
    ['0', 401],
    ['1099', 401],
    ['1100', 200],
  ] as const)
    t.equal(await two.status(makeToken({ jti })), status, jti)
  t.equal(await two.status(makeToken({ jti: 'x', sub: 'undone' })), 200)
  t.match(two.app.oauth.stats().revocations, { active: 1_100, isCurrent: true })
  t.strictSame(
    two.logged.filter(({ msg }) => msg === 'tokens revoked'),
    [],
    'no line for each that is old news',
  )
})

t.test('applies a revocation within a second without announcements', skip, async t => {
  const { socket } = await startRedis(t)
  const [one, deaf] = [connect(t, socket), connect(t, socket)]
  const silent = sharedBy(deaf)
  const first = await startReplica(t, sharedBy(one))
  const second = await startReplica(t, { ...silent, store: { ...silent.store!, watch: () => () => {} } })
  t.equal(await second.status(makeToken()), 200)
  const startedAt = performance.now()
  await first.app.oauth.revoke({ subject: 'payment' }, { until: Date.now() + hour })
  await second.line('tokens revoked')
  const tookMs = performance.now() - startedAt
  t.ok(tookMs < 1_000, `${tookMs} ms`)
  t.equal(await second.status(makeToken()), 401)
})

t.test('applies revocations that were made while a replica was disconnected', skip, async t => {
  const { socket } = await startRedis(t)
  const one = await startReplica(t, sharedBy(connect(t, socket)))
  const redis = connect(t, socket)
  const two = await startReplica(t, sharedBy(redis))
  redis.disconnect()
  await two.line('the revocation store is unavailable')
  t.equal(await two.status(makeToken()), 503)
  await one.app.oauth.revoke({ keyId: 'first' }, { until: Date.now() + hour })
  const back = two.line('the revocation store is available again')
  await redis.connect()
  await back
  t.equal(await two.status(makeToken()), 401)
})

t.test('restores revocations after Redis lost its data', skip, async t => {
  const redis = await startRedis(t)
  const one = await startReplica(t, sharedBy(connect(t, redis.socket), { whileUnavailable: 'accept' }))
  await one.app.oauth.revoke({ clientId: 'payment' }, { until: Date.now() + hour })
  await redis.restart()
  const client = connect(t, redis.socket)
  const stored = async (): Promise<number> => client.hlen('{oauth-revocations}:values').catch(() => 0)
  while ((await stored()) < 1) await new Promise(resolve => setTimeout(resolve, 20))
  const two = await startReplica(t, sharedBy(connect(t, redis.socket)))
  t.equal(await two.status(makeToken()), 401)
  t.equal(await one.status(makeToken()), 401)
})

t.test('stores keys with an expiry and the prefix in Redis', skip, async t => {
  const { socket } = await startRedis(t)
  const client = connect(t, socket)
  const store = redisRevocationStore(client, 'shop')
  await store.put('short', 'one', 30)
  await store.put('long', 'two', 60_000)
  const all = async (): Promise<readonly string[]> => (await store.read(undefined)).values
  t.strictSame(await all(), ['one', 'two'])
  for (const key of await client.keys('*')) {
    t.match(key, /^\{shop\}:(?:meta|changes|ends|values)$/)
    const ttl = await client.pttl(key)
    t.ok(ttl > 0 && ttl <= 60_000, `${key} ${ttl}`)
  }
  await new Promise(resolve => setTimeout(resolve, 40))
  await store.put('other', 'three', 10)
  t.strictSame(await all(), ['two', 'three'], 'what has ended makes room for what comes')
  await store.put('long', 'four', 60_000)
  t.strictSame(await all(), ['three', 'four'])
  t.equal(await client.hlen('{shop}:values'), 2)
  t.equal(await client.zcard('{shop}:ends'), 2)
})

t.test('reads pages from a cursor', skip, async t => {
  const { socket } = await startRedis(t)
  const store = redisRevocationStore(connect(t, socket))
  const empty = await store.read(undefined)
  t.match(empty, { values: [], hasMore: false })
  for (let index = 0; index < 501; index += 1) await store.put(`${index}`, `value ${index}`, 60_000)
  const first = await store.read(undefined)
  t.match(first, { fromStart: true, hasMore: true })
  t.equal(first.values.length, 500)
  const second = await store.read(first.cursor)
  t.match(second, { values: ['value 500'], fromStart: false, hasMore: false })
  t.match(await store.read(second.cursor), { values: [], fromStart: false, hasMore: false })
  for (const unknown of ['', 'x', 'another 7', `${second.cursor}9`, ' '])
    t.match(await store.read(unknown), { fromStart: true, hasMore: true }, unknown)
})

t.test('ignores garbage on the channel and in the keys', skip, async t => {
  const { socket } = await startRedis(t)
  const replica = await startReplica(t, sharedBy(connect(t, socket)))
  const client = connect(t, socket)
  for (const message of [
    '',
    'garbage',
    '{"by":"clientId","value":"payment"}',
    'x'.repeat(1_000_000),
    '\0\xFF',
  ])
    await client.publish('{oauth-revocations}:changed', message)
  const store = redisRevocationStore(client)
  const issuer = 'https://login.example.com'
  const until = Date.now() + hour
  const garbage: unknown[] = [
    null,
    [],
    {},
    { issuer, by: 'everything', value: 'payment', until },
    { issuer, by: 'clientId', until },
    { issuer, by: 'clientId', value: '', until },
    { issuer, by: 'clientId', value: { payment: true }, until },
    { issuer, by: 'clientId', value: 'payment', until: null },
    { issuer, by: 'clientId', value: 'payment', until: 9e15 },
    { issuer, by: 'clientId', value: 'payment', until, issuedBefore: 'now' },
    { issuer: '', by: 'clientId', value: 'payment', until },
    { by: '__proto__', issuer, value: 'payment', until },
  ]
  const texts = ['not JSON', '{', '', 'x'.repeat(20_000), ...garbage.map(value => JSON.stringify(value))]
  for (const [index, text] of texts.entries()) await store.put(`garbage ${index}`, text, 60_000)
  await store.put(
    'foreign',
    JSON.stringify({ issuer: 'https://other.example.com', by: 'clientId', value: 'payment', until }),
    60_000,
  )
  await replica.app.oauth.revoke({ jti: 'two' }, { until })
  while (
    replica.logged.filter(({ msg }) => /is not a revocation/.test(String(msg))).length <
    texts.length - 1
  )
    await new Promise(resolve => setTimeout(resolve, 10))
  t.equal(await replica.status(makeToken()), 200)
  t.equal(await replica.status(makeToken({ jti: 'two' })), 401)
  t.match(replica.app.oauth.stats().revocations, { active: 1, isCurrent: true })
  t.notMatch(JSON.stringify(replica.logged), /everything|not JSON/, 'nothing of it is logged')
})

t.test('closes only the connection that it opened', skip, async t => {
  const { socket } = await startRedis(t)
  for (const open of [redisPackages['ioredis'], redisPackages['redis 6'], redisPackages['redis 4']]) {
    const redis = (await open!(t, socket)) as RedisPubSub
    const admin = connect(t, socket)
    const clients = async (): Promise<number> =>
      String(await admin.client('LIST'))
        .trim()
        .split('\n').length
    const before = await clients()
    const replica = await startReplica(t, sharedBy(redis))
    while ((await clients()) < before + 1) await new Promise(resolve => setTimeout(resolve, 5))
    await replica.app.close()
    while ((await clients()) > before) await new Promise(resolve => setTimeout(resolve, 5))
    const store = redisRevocationStore(redis)
    t.match(await store.read(undefined), { hasMore: false }, 'the given connection still works')
    admin.disconnect()
  }
})

t.test('starts without Redis, and uses it as soon as it responds', skip, async t => {
  const redis = await startRedis(t)
  await redis.stop()
  const refusing = await startReplica(t, sharedBy(connect(t, redis.socket)))
  const accepting = await startReplica(t, sharedBy(connect(t, redis.socket), { whileUnavailable: 'accept' }))
  t.equal(await refusing.status(makeToken()), 503)
  t.equal(await accepting.status(makeToken()), 200)
  t.match(accepting.app.oauth.stats().revocations, { active: 0, isCurrent: false })
  await redis.restart()
  await Promise.all(
    [refusing, accepting].map(replica => replica.line('the revocation store is available again')),
  )
  t.equal(await refusing.status(makeToken()), 200)
  const revoked = refusing.line('tokens revoked')
  await accepting.app.oauth.revoke({ jti: 'one' }, { until: Date.now() + hour })
  await revoked
  t.equal(await refusing.status(makeToken()), 401)
})

t.test('names the supported packages in the error of redisRevocationStore', async t => {
  const others: unknown[] = [
    undefined,
    null,
    {},
    'redis://127.0.0.1',
    { status: 'ready', set() {} },
    { isOpen: true, set() {} },
    { isOpen: true, set() {}, duplicate() {}, totalClients: 1 }, // a pool
    createClient4({ legacyMode: true }),
  ]
  for (const redis of others)
    t.throws(() => redisRevocationStore(redis as never), {
      code: 'OAUTH_INVALID_OPTION',
      message: /redisRevocationStore expects a client from ioredis.*not a pool.*put\(id, value, ttlMs\)/,
    })
})
