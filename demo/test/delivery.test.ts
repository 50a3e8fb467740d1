import { spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fastify from 'fastify'
import t from 'tap'
import { openDatabase } from '#src/database/database.js'
import { lockFolder } from '#src/database/folder-lock.js'
import { openMigrated } from '#src/database/migrate.js'
import { traceContext, tracedRequests } from '#src/operations/trace-context.js'
import { createOutbox, type Outbox } from '#src/payment-service/outbox.js'
import { createPaymentStore } from '#src/payment-service/payment-store.js'
import { quote } from '#src/payment-service/quote.js'
import { backOff, createReceiptDelivery } from '#src/payment-service/receipt-delivery.js'
import type { Delivery } from '#src/payment-service/receipts-api.js'
import { until } from './until.js'
import { copyDatabase } from './database-template.js'

const folder = mkdtempSync(join(tmpdir(), 'bookstore-'))
const migrations = new URL('../src/payment-service/migrations/', import.meta.url)
await copyDatabase(join(folder, 'database'))
const database = await openMigrated({ folder: join(folder, 'database') }, 'payments', migrations)
t.teardown(async () => {
  await database.close()
  rmSync(folder, { recursive: true, force: true })
})
const store = createPaymentStore(database)
const outbox = createOutbox(database)
const start = Date.parse('2026-11-25T12:00:00Z')

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'

/** Inserts a paid payment whose receipt has not been delivered. */
async function paid(): Promise<string> {
  const id = randomUUID()
  const lease = { leaseId: randomUUID(), now: new Date(start), until: new Date(start) }
  const order = { items: [{ sku: 'B-1001', quantity: 1 }], currency: 'EUR', locale: 'en' }
  await store.insert(
    {
      id,
      clientId: 'shop',
      idempotencyKey: id,
      fingerprint: '',
      quote: quote(order),
      buyer: { email: 'a@example.com' },
      method: 'test_visa',
      traceId,
    },
    lease,
  )
  await store.settle(id, { approved: true, authorizationCode: 'A' }, new Date(start))
  return id
}

interface State {
  status: string
  attempts: number
  last_error: string | null
  waits_ms: number
  leased: boolean
}
async function stateOf(id: string): Promise<State | undefined> {
  const [row] = await database.query<State>(
    `select status, attempts, last_error, lease_id is not null as leased,
       (extract(epoch from next_attempt_at) * 1000 - $2)::int as waits_ms
     from payments.outbox where payment_id = $1`,
    [id, start],
  )
  return row
}

/** Returns a worker with a scripted receipt service and a clock. */
function worker(deliver: () => Promise<Delivery>, from: Outbox = outbox) {
  const said: string[] = []
  const details: object[] = []
  const say = (detail: object, message: string): void => {
    details.push(detail)
    said.push(message)
  }
  const time = { now: start }
  const delivery = createReceiptDelivery({
    outbox: from,
    findPayment: id => store.find(id),
    deliver,
    log: { warn: say, error: say },
    clock: () => time.now,
    random: () => 0,
    leaseMs: 60_000,
  })
  return { ...delivery, said, details, time }
}

t.test('a failed delivery is retried with a growing delay or after Retry-After', async t => {
  const id = await paid()
  const answers: Delivery[] = [
    { outcome: 'failed', reason: 'down' },
    { outcome: 'failed', reason: 'full', retryAfterMs: 7_000 },
    { outcome: 'delivered', number: 'HQ-1' },
  ]
  const { deliverDue, time, said } = worker(
    async () => answers.shift() ?? { outcome: 'failed', reason: 'none' },
  )
  t.equal(await deliverDue(), 1)
  t.match(await stateOf(id), {
    status: 'pending',
    attempts: 1,
    last_error: 'down',
    waits_ms: 500,
    leased: false,
  })
  t.equal(await deliverDue(), 0, 'not before its time')
  time.now = start + 500
  t.equal(await deliverDue(), 1)
  t.match(await stateOf(id), { attempts: 2, last_error: 'full', waits_ms: 7_500 })
  time.now = start + 7_500
  t.equal(await deliverDue(), 1)
  t.match(await stateOf(id), { status: 'delivered', attempts: 3, last_error: null })
  t.equal(await deliverDue(), 0)
  t.strictSame(said, ['receipt not delivered yet', 'receipt not delivered yet'])
})

t.test("a delivery and its log lines have the purchase's trace id", async t => {
  const called = fastify(tracedRequests)
  await called.register(traceContext)
  const seen: string[] = []
  called.get('/', async ({ id }) => void seen.push(id))
  const url = await called.listen({ host: '127.0.0.1', port: 0 })
  t.teardown(() => called.close())
  const id = await paid()
  // A worker after a restart: it only has what is stored in the database.
  const { deliverNow, details } = worker(async () => {
    await fetch(url)
    return { outcome: 'refused', reason: 'no' }
  })
  await deliverNow(id)
  t.strictSame(seen, [traceId])
  t.match(details, [{ traceId, paymentId: id }])
})

t.test('a refused receipt is not retried and does not block other receipts', async t => {
  const id = await paid()
  const other = await paid()
  const answers: Delivery[] = [
    { outcome: 'refused', reason: 'the receipt service answers 422' },
    { outcome: 'delivered', number: 'HQ-2' },
  ]
  const { deliverNow, deliverDue, said, time } = worker(
    async () => answers.shift() ?? { outcome: 'failed', reason: 'none' },
  )
  await deliverNow(id)
  t.match(await stateOf(id), { status: 'poisoned', last_error: /422/, leased: false })
  t.match(said, ['receipt delivery abandoned; a person must examine it'])
  time.now = start + 86_400_000
  t.equal(await deliverDue(), 1)
  t.match(await stateOf(other), { status: 'delivered' })
})

t.test('a delivery is abandoned after a day of attempts', async t => {
  const id = await paid()
  await database.query('update payments.outbox set attempts = 2879 where payment_id = $1', [id])
  const { deliverNow } = worker(async () => ({ outcome: 'failed', reason: 'down' }))
  await deliverNow(id)
  t.match(await stateOf(id), { status: 'poisoned', attempts: 2_880 })
})

t.test('a lease excludes other workers until it expires; a late result of its worker is ignored', async t => {
  const id = await paid()
  let answer: ((delivery: Delivery) => void) | undefined
  const first = worker(() => new Promise(resolve => (answer = resolve)))
  const slow = first.deliverNow(id)
  await until('the first worker at work', () => answer !== undefined)
  const second = worker(async () => ({ outcome: 'delivered', number: 'HQ-3' }))
  t.equal(await second.deliverDue(), 0)
  second.time.now = start + 60_000
  t.equal(await second.deliverDue(), 1)
  answer?.({ outcome: 'refused', reason: 'late' })
  await slow
  t.match(await stateOf(id), { status: 'delivered', attempts: 2, last_error: null })
})

const take = (leaseId: string) =>
  outbox.lease({ leaseId, now: new Date(start), until: new Date(start + 1_000), limit: 8 })

t.test('concurrent workers lease different rows', async t => {
  const ids = await Promise.all(Array.from({ length: 12 }, paid))
  const [one, two] = await Promise.all([take(randomUUID()), take(randomUUID())])
  const taken = [...(one ?? []), ...(two ?? [])].map(({ paymentId }) => paymentId)
  t.strictSame(taken.sort(), ids.sort())
})

t.test('the back-off doubles up to 30 s, with a random reduction of up to half', async t => {
  t.strictSame(
    [1, 2, 3, 7, 2_000].map(attempts => backOff(attempts, 0)),
    [500, 1_000, 2_000, 30_000, 30_000],
  )
  t.equal(backOff(1, 1), 250)
})

t.test(
  'a migration that changed after it ran is refused, and the folder is locked for other processes',
  async t => {
    await database.query(`update payments.migration set sha256 = 'x' where name = '001-payments.sql'`)
    const config = { folder: join(folder, 'database') }
    await t.rejects(openMigrated(config, 'payments', migrations), /001-payments\.sql was changed/)

    const locked = join(folder, 'locked')
    const unlock = lockFolder(locked)
    t.throws(() => lockFolder(locked), new RegExp(`is open in process ${process.pid}`))
    unlock()
    lockFolder(locked)()
    // The lock of a process that was killed.
    const { pid } = spawnSync(process.execPath, ['-e', '0'])
    writeFileSync(`${locked}.lock`, `${pid}\n`)
    lockFolder(locked)()
    t.notOk(existsSync(`${locked}.lock`))
    await t.rejects(openDatabase({ url: 'postgres://127.0.0.1:1/none', folder: '' }))
  },
)
