import t, { type Test } from 'tap'
import resourceServer, { createVerifier, type RevocationStore } from 'fastify-resource-server'
import { faults, settle, watchProcess } from 'test-support/faults'
import { SimulatedTime } from 'test-support/simulated-time'
import type { AccessToken } from '#src/access-token.js'
import { createRevocations, type Revocations } from '#src/revocation/revocations.js'
import { buildApp, registered } from './protected-app.js'
import { FakeStore, startReplica } from './revocation-replicas.js'

const start = 1_800_000_000_000
const hour = 3_600_000
const issuer = 'https://login.example.com'
const token = {
  issuer,
  subject: 'payment',
  clientId: 'payment',
  claims: { jti: 'one', iat: start / 1000 },
} as unknown as AccessToken

interface Process extends Revocations {
  readonly logged: string[]
  /** Why the token is refused. */
  reason(): string | undefined
}

interface World {
  readonly time: SimulatedTime
  readonly until: number
  begin(
    store: RevocationStore,
    options?: { whileUnavailable?: 'accept' | 'refuse'; maxEntries?: number },
  ): Process
}

/** Processes that share a store, in simulated time. */
function world(t: Test): World {
  const time = new SimulatedTime()
  t.teardown(() => time.restore())
  return {
    time,
    until: start + hour,
    begin(store, { whileUnavailable = 'refuse', maxEntries = 100 } = {}) {
      const logged: string[] = []
      const line = (_: object, message: string): void => void logged.push(message)
      const revocations = createRevocations(
        { maxEntries, sharing: { store, whileUnavailable, maxEntries } },
        {
          isTrusted: name => name === issuer,
          onlyIssuer: issuer,
          now: () => start + time.now,
          clockToleranceMs: 5_000,
          log: { info: line, warn: line, error: line },
        },
      )
      t.teardown(() => revocations.close())
      return { ...revocations, logged, reason: () => revocations.refusalOf(token)?.reason }
    },
  }
}

t.test('applies a revocation within a second without announcements', async t => {
  const { time, until, begin } = world(t)
  const store = new FakeStore()
  store.announces = false
  const [one, two] = [begin(store), begin(store)]
  await Promise.all([one.start(), two.start()])
  await one.revoke({ jti: 'one' }, { until })
  t.equal(one.reason(), 'revoked')
  t.equal(two.reason(), undefined)
  await time.advance(1_000)
  t.equal(two.reason(), 'revoked')
})

t.test('applies a revocation within milliseconds after an announcement, however many there are', async t => {
  const { time, until, begin } = world(t)
  const store = new FakeStore()
  const [one, two] = [begin(store), begin(store)]
  await Promise.all([one.start(), two.start()])
  await one.revoke({ jti: 'one' }, { until })
  await time.advance(6)
  t.equal(two.reason(), 'revoked')
  store.reads = 0
  for (let ms = 0; ms < 1_000; ms += 1) {
    for (let index = 0; index < 100; index += 1) store.announce()
    await time.advance(1)
  }
  t.ok(
    store.reads <= 2 * 201,
    `${store.reads} reads by two processes, after 100000 announcements in a second`,
  )
  t.ok(store.reads >= 2 * 100, 'a flood does not put the next read off')
})

t.test(
  'accepts tokens for a second while the store hangs or fails, then applies whileUnavailable',
  async t => {
    for (const mode of ['hangs', 'throws'] as const) {
      const { time, begin } = world(t)
      const store = new FakeStore()
      const [refusing, accepting] = [begin(store), begin(store, { whileUnavailable: 'accept' })]
      await Promise.all([refusing.start(), accepting.start()])
      await time.advance(10_000)
      store.mode = mode
      await time.advance(599)
      t.equal(refusing.reason(), undefined, 'the last read was at most 400 ms ago')
      await time.advance(401)
      t.equal(refusing.reason(), 'unavailable')
      t.match(refusing.refusalOf(token), { retryAfterMs: 1_000 })
      t.equal(accepting.reason(), undefined)
      await time.advance(60_000)
      for (const { logged, state } of [refusing, accepting]) {
        t.strictSame(logged, ['the revocation store is unavailable'], 'one line for an outage')
        t.equal(state().isCurrent, false)
      }
      store.mode = 'up'
      await time.advance(500)
      for (const { logged, state, reason } of [refusing, accepting]) {
        t.equal(reason(), undefined)
        t.equal(logged.at(-1), 'the revocation store is available again')
        t.equal(state().isCurrent, true)
      }
      time.restore()
    }
  },
)

t.test('does not treat a store that responds within half a second as unavailable', async t => {
  const { time, begin } = world(t)
  const store = new FakeStore()
  const slow: RevocationStore = {
    put: (...given) => store.put(...given),
    async read(cursor) {
      await new Promise(resolve => setTimeout(resolve, 490))
      return store.read(cursor)
    },
  }
  const process = begin(slow)
  const started = process.start()
  await time.advance(490)
  await started
  for (let ms = 0; ms < 10_000; ms += 5) {
    await time.advance(5)
    if (process.reason() !== undefined) t.fail(`refused after ${ms} ms`)
  }
})

t.test('applies a revocation that could not be stored in this process, and stores it later', async t => {
  const { time, until, begin } = world(t)
  const store = new FakeStore()
  const [one, two] = [begin(store), begin(store)]
  await Promise.all([one.start(), two.start()])
  store.mode = 'throws'
  await t.rejects(one.revoke({ subject: 'payment' }, { until }), {
    code: 'OAUTH_REVOCATION_FAILED',
    statusCode: 503,
    isInEffectHere: true,
    message: /the revocation store failed \(connection refused\)\. This process refuses the tokens/,
  })
  t.equal(one.reason(), 'revoked')
  store.mode = 'hangs'
  const hanging = one.revoke({ clientId: 'shop' }, { until })
  const rejected = t.rejects(hanging, { message: /did not respond within 1000 ms/, isInEffectHere: true })
  await time.advance(1_000)
  await rejected
  await time.advance(1_000)
  t.equal(two.reason(), 'unavailable')
  store.mode = 'up'
  await time.advance(2_000)
  t.equal(two.reason(), 'revoked')
  t.equal(two.state().active, 2)
})

t.test('undoes a revocation that has not been stored yet', async t => {
  const { time, until, begin } = world(t)
  const store = new FakeStore()
  const [one, two] = [begin(store), begin(store)]
  await Promise.all([one.start(), two.start()])
  store.mode = 'hangs'
  const revoked = t.rejects(one.revoke({ subject: 'payment' }, { until }), {
    code: 'OAUTH_REVOCATION_FAILED',
    isInEffectHere: true,
  })
  await time.advance(1)
  store.mode = 'up'
  t.equal(await one.unrevoke({ subject: 'payment' }), true)
  await time.advance(3_000)
  await revoked
  for (const process of [one, two]) t.equal(process.reason(), undefined, 'it is not stored later')
})

t.test('ignores stored values that are older than changes of this process', async t => {
  const { time, until, begin } = world(t)
  const store = new FakeStore()
  store.announces = false
  const [one, two] = [begin(store), begin(store)]
  await Promise.all([one.start(), two.start()])
  await one.revoke({ subject: 'payment' }, { until })
  await one.unrevoke({ subject: 'payment' }) // in the store, and not read yet
  store.mode = 'throws'
  await t.rejects(one.revoke({ subject: 'payment' }, { until }), {
    code: 'OAUTH_REVOCATION_FAILED',
    isInEffectHere: true,
  })
  await time.advance(100)
  store.mode = 'up'
  await time.advance(2_000)
  for (const process of [one, two]) t.equal(process.reason(), 'revoked')
})

t.test('rejects unrevoke without any change while the store is unavailable', async t => {
  const { time, until, begin } = world(t)
  const store = new FakeStore()
  const [one, two] = [begin(store), begin(store)]
  await Promise.all([one.start(), two.start()])
  await one.revoke({ subject: 'payment' }, { until })
  await time.advance(100)
  store.mode = 'throws'
  await t.rejects(two.unrevoke({ subject: 'payment' }), {
    code: 'OAUTH_REVOCATION_FAILED',
    isInEffectHere: false,
  })
  t.equal(two.reason(), 'revoked')
  await time.advance(2_000)
  await t.rejects(
    two.unrevoke({ subject: 'other' }),
    { message: /store is unavailable/ },
    'it may exist elsewhere',
  )
  store.mode = 'up'
  await time.advance(1_000)
  t.equal(await two.unrevoke({ subject: 'other' }), false)
  t.equal(await two.unrevoke({ subject: 'payment' }), true)
  await time.advance(100)
  t.equal(one.reason(), undefined)
  t.match(one.logged.at(-1), 'revocation undone')
})

t.test('restores active revocations after the store lost its values', async t => {
  const { time, until, begin } = world(t)
  const store = new FakeStore()
  const [one, two] = [begin(store), begin(store)]
  await Promise.all([one.start(), two.start()])
  await one.revoke({ subject: 'payment' }, { until })
  await two.revoke({ jti: 'short' }, { until: start + time.now + 1_000 })
  await one.revoke({ jti: 'undone' }, { until })
  await one.unrevoke({ jti: 'undone' })
  await time.advance(2_000)
  store.lose()
  await time.advance(1_000)
  t.equal(store.values.length, 1)
  t.match(store.values[0], /"subject","value":"payment"/)
  t.ok(
    store.ttls.every(ttl => ttl > hour && ttl <= hour + 5_000),
    'its end is the same',
  )
  const late = begin(store)
  await late.start()
  t.equal(late.reason(), 'revoked')
})

t.test('treats a store with too many revocations as unavailable, and loses none', async t => {
  const { time, until, begin } = world(t)
  const store = new FakeStore()
  store.pageSize = 7
  const [large, small] = [begin(store), begin(store, { maxEntries: 10 })]
  await Promise.all([large.start(), small.start()])
  for (let index = 0; index < 20; index += 1) await large.revoke({ jti: `${index}` }, { until })
  await time.advance(1_000)
  t.match(small.state(), { active: 20, isCurrent: true }, 'twice as many are taken from others')
  await t.rejects(small.revoke({ jti: 'more' }, { until }), {
    code: 'OAUTH_REVOCATION_FAILED',
    isInEffectHere: false,
  })
  await large.revoke({ jti: 'one' }, { until })
  await time.advance(1_500)
  t.match(small.state(), { active: 20, isCurrent: false })
  t.equal(small.reason(), 'unavailable')
  t.equal(large.reason(), 'revoked')
  await time.advance(until - start)
  t.match(small.state(), { active: 0, isCurrent: true }, 'when they have ended, it goes on')
})

t.test('stops reading and watching when it is closed, and leaves no timer', async t => {
  const { time, begin } = world(t)
  const store = new FakeStore()
  const process = begin(store)
  await process.start()
  await time.advance(1_000)
  t.equal(store.watchers, 1)
  process.close()
  const { reads } = store
  store.announce()
  await time.advance(60_000)
  t.equal(store.reads, reads)
  t.equal(store.watchers, 0)
  t.equal(time.pendingTimers, 0)
  process.close()
  t.strictSame(process.logged, [])
})

t.test('closes while the store hangs', async t => {
  const { time, begin } = world(t)
  const store = new FakeStore()
  const process = begin(store)
  await process.start()
  store.mode = 'hangs'
  await time.advance(450)
  process.close()
  await time.advance(5_000)
  t.equal(time.pendingTimers, 0)
  t.strictSame(process.logged, [])
})

const page = { values: [], cursor: '1', fromStart: true, hasMore: false }

/** Stores that answer, and wrongly. */
const wrongStores: Readonly<Record<string, [store: RevocationStore, message: RegExp]>> = {
  'forgets what is put': [
    { put: async () => 'OK', read: async () => page },
    /read\(\) did not return the value/,
  ],
  'returns nothing': [
    { put: async () => {}, read: async () => undefined as never },
    /read\(\) returned an invalid page/,
  ],
  'returns null': [
    { put: async () => {}, read: async () => null as never },
    /read\(\) returned an invalid page/,
  ],
  'returns a list': [
    { put: async () => {}, read: async () => [] as never },
    /read\(\) returned an invalid page/,
  ],
  'returns Buffers': [
    { put: async () => {}, read: async () => ({ ...page, values: [Buffer.from('a')] }) as never },
    /read\(\) returned an invalid page/,
  ],
  'returns a cursor that is a number': [
    { put: async () => {}, read: async () => ({ ...page, cursor: 1 }) as never },
    /read\(\) returned an invalid page/,
  ],
  'has more forever': [
    { put: async () => {}, read: async () => ({ ...page, hasMore: true }) },
    /hasMore: true but no values/,
  ],
  'does not advance': [
    { put: async () => {}, read: async () => ({ ...page, values: ['a'], hasMore: true }) },
    /with a cursor that it had already returned/,
  ],
  'advances in a circle': [circle(), /with a cursor that it had already returned/],
}

/** A store whose cursors are one and two in turn. */
function circle(): RevocationStore {
  return {
    put: async () => {},
    read: async cursor => ({
      values: ['a'],
      cursor: cursor === 'one' ? 'two' : 'one',
      fromStart: cursor === undefined,
      hasMore: true,
    }),
  }
}

t.test('responds to requests while it reads a store in memory', async t => {
  let pages = 0
  const store: RevocationStore = {
    put: async () => {},
    async read(cursor = '0') {
      pages += 1
      return { values: ['a'], cursor: `${Number(cursor) + 1}`, fromStart: false, hasMore: true }
    },
  }
  const started = startReplica(t, { store, whileUnavailable: 'accept' })
  while (pages === 0) await new Promise(resolve => setImmediate(resolve))
  const before = pages
  await new Promise(resolve => setImmediate(resolve))
  t.ok(pages - before <= 2, 'the process reads one page, then goes on with other work')
  await t.rejects(started, { message: /after 4000 pages/ })
})

for (const [how, [store, message]] of Object.entries(wrongStores))
  t.test(`does not start with a store that ${how}`, async t => {
    const revocation = { store, whileUnavailable: 'accept' } as const
    const expected = {
      code: 'OAUTH_INVALID_OPTION',
      message: new RegExp(`\`revocation\\.store\`.*${message.source}`),
    }
    await t.rejects(startReplica(t, revocation), expected)
    await t.rejects(createVerifier({ ...registered, revocation }), expected)
  })

for (const [how, fail] of Object.entries(faults))
  for (const method of ['put', 'read', 'watch'] as const)
    t.test(`treats a store whose ${method} ${how} as unavailable at most`, async t => {
      const fatal = watchProcess(t)
      const { time, until, begin } = world(t)
      const store = new FakeStore()
      let works = method !== 'watch'
      const faulty: RevocationStore = {
        put: (...given) => (works || method !== 'put' ? store.put(...given) : (fail() as never)),
        read: cursor => (works || method !== 'read' ? store.read(cursor) : (fail() as never)),
        watch: changed => (method === 'watch' ? (fail() as never) : store.watch(changed)),
      }
      const process = begin(faulty)
      await process.start()
      t.equal(process.reason(), undefined)
      works = false
      await time.advance(1_500)
      t.equal(process.reason(), method === 'read' ? 'unavailable' : undefined)
      const revoked = process.revoke({ jti: 'one' }, { until }).catch((error: unknown) => error)
      await time.advance(1_500)
      const expected = { code: 'OAUTH_REVOCATION_FAILED', isInEffectHere: true }
      const isLost = method === 'put' && !how.startsWith('returns')
      t.match(await revoked, isLost ? expected : undefined)
      t.equal(process.reason(), 'revoked')
      process.close()
      await time.advance(1_500)
      await settle()
      t.strictSame(fatal, [])
    })

for (const [how, fail] of Object.entries(faults))
  t.test(`tolerates a store whose stop function ${how}`, async t => {
    const fatal = watchProcess(t)
    const { time, begin } = world(t)
    const store = new FakeStore()
    const faulty: RevocationStore = {
      put: (...given) => store.put(...given),
      read: cursor => store.read(cursor),
      watch: () => fail as () => void,
    }
    const [closed, closedEarly] = [begin(faulty), begin(faulty)]
    await closed.start()
    closed.close()
    await closedEarly.start()
    closedEarly.close()
    await time.advance(1_500)
    await settle()
    t.strictSame(fatal, [])
  })

t.test('validates the options of the store', async t => {
  const store = new FakeStore()
  for (const [revocation, message] of [
    [{ store }, /`revocation\.whileUnavailable` is missing; expected 'accept' or 'refuse'/],
    [{ store, whileUnavailable: 'ignore' }, /`revocation\.whileUnavailable`/],
    [{ whileUnavailable: 'refuse' }, /has no effect without `revocation\.store`/],
    [{ store: {}, whileUnavailable: 'refuse' }, /`revocation\.store` is not an object with the methods put/],
    [
      { store: 'redis://127.0.0.1', whileUnavailable: 'refuse' },
      /`revocation\.store` is not an object with the methods put/,
    ],
    [
      { store: null, whileUnavailable: 'refuse' },
      /`revocation\.store` is not an object with the methods put/,
    ],
  ] as const)
    await t.rejects(
      async () => buildApp(t).register(resourceServer, { ...registered, revocation: revocation as never }),
      { code: 'OAUTH_INVALID_OPTION', message },
    )
})
