import { runInNewContext } from 'node:vm'
import { Redis } from 'ioredis'
import { createClient as createClient4 } from 'redis-4'
import t from 'tap'
import { redisReplayStore, type DpopOptions, type ReplayStore } from 'fastify-resource-server'
import { redisPackages } from 'test-support/redis-connections'
import { noRedis, startRedis } from 'test-support/redis-server'
import { createUsedProofs, StoreFault } from '#src/binding/used-proofs.js'
import { Refusal } from '#src/errors.js'
import { origin, startDpop, type DpopBench } from './dpop-bench.js'
import { hashOf, makeProof, makeProofKey } from './hand-made-proof.js'

for (const [name, connect] of Object.entries(redisPackages))
  t.test(`shares used proofs between replicas in Redis through ${name}`, { skip: noRedis }, async t => {
    const { socket, stop } = await startRedis(t)
    const client = makeProofKey()
    const options = async (): Promise<DpopOptions> => ({
      origin,
      replayStore: redisReplayStore(await connect(t, socket)),
    })
    const [one, two] = [
      await startDpop(t, await options(), client),
      await startDpop(t, await options(), client),
    ]
    const [here, there] = [one.bound(), two.bound()]
    const claims = one.proofClaims(here, { jti: 'x'.repeat(256) })
    const proof = makeProof(client, claims)
    t.equal((await one.prove(proof, here)).statusCode, 200)
    t.equal((await one.prove(proof, here)).statusCode, 401, 'a replay')
    const replayed = await two.prove(makeProof(client, { ...claims, ath: hashOf(there) }), there)
    t.equal(replayed.json<{ code: string }>().code, 'OAUTH_INVALID_DPOP_PROOF', 'a replay at another replica')

    const redis = new Redis(socket)
    t.teardown(() => redis.disconnect())
    redis.on('error', () => {})
    for (const key of await redis.keys('*')) {
      t.match(key, /^dpop-jti:[\w-]{22}$/, 'short, whatever the client put into jti')
      const ttl = await redis.pttl(key)
      t.ok(ttl > 120_000 && ttl <= 180_000, 'longer than the proof is accepted, for clocks that differ')
    }

    await stop()
    const outage = await one.prove(undefined, here)
    t.equal(outage.statusCode, 503)
    t.ok(Number(outage.headers['retry-after']) >= 1)
    t.equal(one.lastReason(), 'unavailable')
  })

t.test('starts without Redis, and uses Redis as soon as it responds', { skip: noRedis }, async t => {
  const { socket, stop } = await startRedis(t)
  await stop()
  for (const [name, connect] of Object.entries(redisPackages)) {
    const redis = await connect(t, socket).catch(() => undefined)
    if (redis === undefined) continue // `redis` fails to connect, and so does the application
    const bench = await startDpop(t, { origin, replayStore: redisReplayStore(redis) })
    t.equal((await bench.prove()).statusCode, 503, name)
    t.match(bench.logged, [{ level: 40, msg: 'the replay store for DPoP proofs cannot be used' }], name)
  }

  let isUp = false
  const seen = new Set<string>()
  const add = (id: string): boolean => {
    if (!isUp) throw new Error('connection refused')
    return seen.size < seen.add(id).size
  }
  const bench = await startDpop(t, { origin, replayStore: { add } })
  t.equal((await bench.prove()).statusCode, 503)
  isUp = true
  t.equal((await bench.prove()).statusCode, 200)
})

t.test('treats a disconnected redis client as an outage', { skip: noRedis }, async t => {
  const bench = await startDpop(t, { origin, replayStore: redisReplayStore(createClient4()) })
  t.equal((await bench.prove()).statusCode, 503)
})

t.test('names the supported packages in the error of redisReplayStore', async t => {
  const others: unknown[] = [
    undefined,
    null,
    {},
    'redis://127.0.0.1',
    { set: async () => 'OK' },
    { set: async () => 'OK', connected: true }, // redis 3
    { set: async () => 'OK', url: 'https://…', token: '…' }, // @upstash/redis
    { isOpen: true },
    { status: 'ready' },
    createClient4({ legacyMode: true }),
  ]
  for (const redis of others)
    t.throws(() => redisReplayStore(redis as never), {
      code: 'OAUTH_INVALID_OPTION',
      message:
        /redisReplayStore expects a client from ioredis, iovalkey or the npm package redis.*add\(id, ttlMs\)/,
    })
})

t.test('accepts Redis replies as Buffers', async t => {
  for (const [reply, expected] of [
    [Buffer.from('OK'), true],
    ['OK', true],
    [null, false],
    [Buffer.from('QUEUED'), false],
    [true, false],
    [1, false],
  ] as const) {
    const { add } = redisReplayStore({ isOpen: true, set: async () => reply })
    t.equal(await add('id', 1_000, 'client'), expected)
  }
})

const proof = { thumbprint: 'the client', jti: 'b' }

/** Uses a store with a time limit of 20 ms, and keeps what is logged. */
function impatient(
  add: (...given: Parameters<ReplayStore['add']>) => unknown,
): ReturnType<typeof createUsedProofs> & { readonly logged: object[] } {
  const logged: object[] = []
  const log = { warn: (entry: object) => void logged.push(entry) }
  const settings = { replayStore: { add } as ReplayStore, maxProofAgeMs: 60_000 }
  return { ...createUsedProofs(settings, log as never, 20), logged }
}

const foreign = (code: string): unknown => runInNewContext(code)

function throwing(thrown: unknown): () => never {
  return () => {
    throw thrown
  }
}

const answers: readonly [name: string, answer: () => unknown, outcome: 'new' | 'replay' | 'outage'][] = [
  ['true', () => true, 'new'],
  ['a promise of true', async () => true, 'new'],
  ['a promise of another realm', () => foreign('Promise.resolve(true)'), 'new'],
  ['a thenable that answers twice', () => foreign('({ then(done) { done(true); done(false) } })'), 'new'],
  ['false', () => false, 'replay'],
  ['a promise of false from another realm', () => foreign('Promise.resolve(false)'), 'replay'],
  ['undefined', () => undefined, 'outage'],
  ['null', () => null, 'outage'],
  ['a promise of null', async () => null, 'outage'],
  ['a promise of undefined from another realm', () => foreign('Promise.resolve()'), 'outage'],
  ['OK', () => 'OK', 'outage'],
  ['a promise of OK', async () => 'OK', 'outage'],
  ['a Buffer', () => Buffer.from('OK'), 'outage'],
  ['1', () => 1, 'outage'],
  ['a promise of 0', async () => 0, 'outage'],
  ['a Boolean object', () => Object(true), 'outage'],
  ['a list', () => [null, 'OK'], 'outage'],
  ['an object', () => ({}), 'outage'],
  ['a throw of an error', throwing(new Error('broken')), 'outage'],
  ['a throw of undefined', throwing(undefined), 'outage'],
  ['a rejection', () => Promise.reject(new Error('broken')), 'outage'],
  ['a rejection with undefined', () => Promise.reject(), 'outage'],
  ['a rejection with text', () => Promise.reject('broken'), 'outage'],
  [
    'a rejection with what cannot be read',
    () =>
      foreign(
        'const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); ({ then: (done, fail) => fail(proxy) })',
      ),
    'outage',
  ],
  ['a rejection of another realm', () => foreign('Promise.reject()'), 'outage'],
  ['a thenable that throws', () => foreign('({ then() { throw 1 } })'), 'outage'],
  ['a then that throws', () => foreign('({ get then() { throw undefined } })'), 'outage'],
  ['a promise that never settles', () => new Promise(() => {}), 'outage'],
  ['a thenable that never settles', () => foreign('({ then() {} })'), 'outage'],
]
for (const [name, answer, outcome] of answers)
  t.test(`handles a store that returns ${name}: ${outcome}`, async t => {
    const seen = new Set<string>()
    const add = (id: string, _ttlMs: number, client: string): unknown =>
      client === proof.thumbprint ? answer() : seen.size < seen.add(id).size
    const { verifyStore, refuseReplay } = impatient(add)
    t.equal(await verifyStore(), undefined)
    const expected = {
      new: undefined,
      replay: { reason: 'proof' },
      outage: { reason: 'unavailable', retryAfterMs: 1_000, detail: /^the replay store failed: .+/ },
    }
    t.match(await refuseReplay(proof), expected[outcome])
  })

t.test('treats a store that rejects with undefined as an outage', async t => {
  const seen = new Set<string>()
  const add: ReplayStore['add'] = (id, _ttlMs, client) =>
    client.startsWith('verification') ? seen.size < seen.add(id).size : Promise.reject()
  const bench = await startDpop(t, { origin, replayStore: { add } })
  const { statusCode, headers } = await bench.prove()
  t.equal(statusCode, 503)
  t.equal(headers['retry-after'], '1')
})

t.test('rejects a store that does not accept each id exactly once', async t => {
  const stores: [name: string, add: () => unknown, message: RegExp][] = [
    ['lets everything in', () => true, /true twice for the same id, so replayed proofs would be accepted/],
    ['lets everything in, later', async () => true, /true twice/],
    ['fails open', () => Promise.reject(new Error('down')).catch(() => true), /true twice/],
    ['lets nothing in', () => false, /false for a new id/],
    ['says OK', async () => 'OK', /a value of type string; it must return true or false/],
    ['says null', () => null, /a value of type null/],
    ['says nothing', () => undefined, /a value of type undefined/],
    ['counts', () => 1, /a value of type number/],
  ]
  for (const [name, add, message] of stores)
    await t.rejects(
      startDpop(t, { origin, replayStore: { add } as never }),
      { code: 'OAUTH_INVALID_OPTION', message: new RegExp(`\`dpop\\.replayStore\`.*${message.source}`) },
      name,
    )
})

t.test('waits a limited time for a store that never settles, at start and in a request', async t => {
  const { verifyStore, refuseReplay, logged } = impatient(() => new Promise(() => {}))
  t.match(await verifyStore(), { isWrong: false, reason: 'no response within 20 ms' })
  t.match(await refuseReplay(proof), { reason: 'unavailable', retryAfterMs: 1_000 })
  t.match(logged, [{ reason: 'no response within 20 ms' }, { reason: 'no response within 20 ms' }])
})

t.test('accepts no proof if the store turns out to be wrong after the start', async t => {
  let isUp = false
  const { verifyStore, refuseReplay } = impatient(async () => {
    if (!isUp) throw new Error('down')
    return true
  })
  t.match(await verifyStore(), { isWrong: false, reason: 'down' })
  isUp = true
  t.match(await refuseReplay(proof), { reason: 'unavailable', detail: /true twice/ })
  t.match(await refuseReplay(proof), { reason: 'unavailable' })
})

t.test('verifies the store once for concurrent requests', async t => {
  let asked = 0
  const seen = new Set<string>()
  const { refuseReplay } = createUsedProofs(
    {
      replayStore: {
        add: async id => {
          asked += 1
          return seen.size < seen.add(id).size
        },
      },
      maxProofAgeMs: 60_000,
    },
    { warn: () => {} } as never,
  )
  const outcomes = await Promise.all(Array.from({ length: 5 }, async () => refuseReplay(proof)))
  t.equal(outcomes.filter(outcome => outcome === undefined).length, 1)
  t.equal(outcomes.filter(outcome => outcome instanceof Refusal && outcome.reason === 'proof').length, 4)
  t.equal(asked, 2 + 5)
  t.notOk((await refuseReplay({ ...proof, jti: 'c' })) instanceof StoreFault)
})

t.test('distinguishes the same jti of two clients, with ids of one size', async t => {
  const ids = new Map<string, string>()
  const add: ReplayStore['add'] = (id, _ttlMs, client) => {
    if (ids.has(id)) return false
    ids.set(id, client)
    return true
  }
  const bench: DpopBench = await startDpop(t, { origin, replayStore: { add } })
  const other = await startDpop(t, { origin, replayStore: { add } })
  for (const { client, bound, proofClaims, prove } of [bench, other]) {
    const token = bound()
    for (const jti of ['one', '', 'ü'.repeat(256), 'one'])
      await prove(makeProof(client, proofClaims(token, { jti })), token)
  }
  const clients = [...ids.values()].filter(client => !client.startsWith('verification'))
  t.strictSame(clients, [
    bench.client.thumbprint,
    bench.client.thumbprint,
    other.client.thumbprint,
    other.client.thumbprint,
  ])
  t.ok([...ids.keys()].every(id => /^[\w-]{22}$/.test(id)))
})
