import { setTimeout as wait } from 'node:timers/promises'
import { createTokenClient, type TokenClient } from 'fastify-token-client'
import t from 'tap'
import { clientOptions } from '#src/client-options.js'
import type { DemoConfig, ServiceName } from '#src/config.js'
import { openDatabase, type Database } from '#src/database/database.js'
import { loadConfig } from '#src/load-config.js'
import { usedPayments } from '#src/payments-api.js'
import { chooseFreePorts } from '#src/ports.js'
import { supervise, type Supervisor } from '#src/processes/supervise.js'
import { needsPostgres, startPostgres } from './postgres.js'
import { seeded } from './seeded.js'
import { until } from './until.js'

/** `KILL_TEST=long` runs the long form. */
const isLong = process.env['KILL_TEST'] === 'long'
const purchases = isLong ? 300 : 50
const declined = purchases / 10
const paid = purchases - declined
/** Time limit on a busy machine, in milliseconds; many processes start and end. */
const patienceMs = 900_000
t.setTimeout(patienceMs)
/** Number of processes that are killed. */
const kills = isLong ? 12 : 4
const killEvery = Math.floor(purchases / kills)
const killOrder: readonly ServiceName[] = [
  'receipts',
  'payments',
  'authorizationServer',
  'payments',
  'receipts',
]
const buyersAtOnce = 16

/** Pays an order, and repeats the request with the same key until it is answered. */
async function buy(payments: TokenClient, number: number): Promise<{ statusCode: number; tries: number }> {
  const paymentMethod = number % 10 === 9 ? 'test_declined' : 'test_visa'
  for (let tries = 1; ; tries += 1) {
    const answer = await payments
      .request({
        method: 'POST',
        path: '/payments',
        headers: { 'content-type': 'application/json', 'idempotency-key': `purchase-${number}` },
        body: JSON.stringify({
          order: { items: [{ sku: 'B-1001', quantity: 1 }], currency: 'EUR', locale: 'en-IE' },
          buyer: { email: `reader-${number}@example.com` },
          paymentMethod,
        }),
        headersTimeout: 8_000,
        bodyTimeout: 8_000,
      })
      .then(
        async ({ statusCode, body }) => {
          await body.dump()
          return statusCode
        },
        () => 0,
      )
    if (answer === 201 || answer === 402) return { statusCode: answer, tries }
    if (answer !== 0 && answer !== 409 && answer < 500)
      throw new Error(`a purchase is answered with ${answer}`)
    await wait(40)
  }
}

/** Kills a random listening replica of a service, after waiting for one if necessary; resolves when it has ended. */
async function killOne(supervisor: Supervisor, service: ServiceName, random: () => number): Promise<void> {
  const { pid } = await until(
    `a ${service} process that listens`,
    () => {
      const ready = supervisor.list().filter(replica => replica.service === service && replica.isReady)
      return ready[Math.floor(random() * ready.length)]
    },
    patienceMs,
  )
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    // The process has ended meanwhile.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
  await until(`the end of ${pid}`, () => supervisor.list().every(replica => replica.pid !== pid), patienceMs)
}

async function untilDelivered(database: Database): Promise<void> {
  await until(
    'the end of all deliveries',
    async () => {
      const [row] = await database.query<{ open: number }>(
        `select (select count(*)::int from payments.outbox where status = 'pending')
              + (select count(*)::int from payments.payment where status = 'processing') as open`,
      )
      return row?.open === 0
    },
    patienceMs,
  )
}

function configFor(ports: Parameters<typeof loadConfig>[0], url: string): DemoConfig {
  const config = loadConfig(ports, { DATABASE_URL: url, LOG_LEVEL: 'silent' })
  return {
    ...config,
    // The gateway loses a tenth of its answers, and the renderer's queue is short.
    payments: { ...config.payments, gatewayLoss: 0.1, leases: { paymentMs: 2_000, receiptMs: 4_000 } },
    receipts: { ...config.receipts, render: { maxQueue: 6 } },
  }
}

t.test('every paid order gets one receipt although processes are killed', needsPostgres, async t => {
  t.setTimeout(patienceMs)
  const url = await startPostgres(t)
  const config = configFor(await chooseFreePorts(), url)
  // The processes must not inherit tap's loaders.
  process.env['NODE_OPTIONS'] = ''
  const died: string[] = []
  const supervisor = await supervise(
    config,
    { authorizationServer: 1, receipts: 2, payments: 2, storefront: 0 },
    (what, { service }) => what === 'died' && died.push(service),
  )
  t.teardown(() => supervisor.close())
  const payments = createTokenClient(clientOptions(config.storefront.payments, usedPayments))
  t.teardown(() => payments.close())

  const random = seeded(20_261_125)
  const killed: ServiceName[] = []
  const answers: { statusCode: number; tries: number }[] = []
  const numbers = Array.from({ length: purchases }, (_, number) => number)
  const buyer = async (): Promise<void> => {
    for (let number = numbers.shift(); number !== undefined; number = numbers.shift()) {
      answers.push(await buy(payments, number))
      if (answers.length % killEvery === 0 && killed.length < kills) {
        const service = killOrder[killed.length % killOrder.length] ?? 'receipts'
        killed.push(service)
        await killOne(supervisor, service, random)
      }
    }
  }
  await Promise.all(Array.from({ length: buyersAtOnce }, buyer))

  const database = await openDatabase(config.payments.database)
  t.teardown(() => database.close())
  await untilDelivered(database)
  t.equal(killed.length, kills)
  t.ok(died.length >= killed.length, 'each of them died')
  t.equal(answers.filter(({ statusCode }) => statusCode === 201).length, paid)
  t.ok(
    answers.some(({ tries }) => tries > 1),
    'some requests failed and were repeated',
  )

  const [counts] = await database.query<Record<string, number>>(
    `select (select count(*)::int from payments.payment) as payments,
            (select count(*)::int from payments.payment where status = 'paid') as paid,
            (select count(*)::int from payments.payment where status = 'declined') as declined,
            (select count(*)::int from receipts.receipt) as receipts,
            (select count(*)::int from payments.outbox where status = 'delivered') as delivered,
            (select max(attempts)::int from payments.outbox) as most_attempts`,
  )
  t.match(counts, { payments: purchases, paid, declined, receipts: paid, delivered: paid })
  t.ok(Number(counts?.['most_attempts']) > 1, 'deliveries have failed and were made again')
  const wrong = await database.query(
    `select p.id from payments.payment p
       left join payments.outbox o on o.payment_id = p.id
       left join receipts.receipt r on r.payment_id = p.id
     where (p.status = 'paid') <> (r.pdf is not null)
        or o.receipt_number is distinct from r.number
        or encode(sha256(r.pdf), 'hex') is distinct from r.pdf_sha256
        or r.content::json ->> 'total' is distinct from case when p.status = 'paid' then p.total::text end`,
  )
  t.strictSame(wrong, [], 'each paid payment has its receipt, whole and with its number; no other has one')
  const [numbering] = await database.query<Record<string, number>>(
    `select count(distinct number)::int as numbers, max(substring(number from '[0-9]+$')::int)::int as highest
     from receipts.receipt`,
  )
  t.strictSame(numbering, { numbers: paid, highest: paid }, 'numbered without gaps')
  t.comment({ killed, died: died.length, triesMost: Math.max(...answers.map(({ tries }) => tries)) })
})
