import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { createTestIssuer, type TestIssuer } from 'oauth-test-issuer'
import t, { type Test } from 'tap'
import type { PaymentConfig } from '#src/config.js'
import { openDatabase } from '#src/database/database.js'
import { buildPaymentService } from '#src/payment-service/app.js'
import type { Charge, Decision, PaymentGateway } from '#src/payment-service/gateway.js'
import { readIdempotencyKey } from '#src/payment-service/idempotency-key.js'
import { vatByRate } from '#src/payment-service/quote.js'
import { sandboxGateway } from '#src/payment-service/sandbox-gateway.js'
import { until } from './until.js'
import { copyDatabase } from './database-template.js'

const folder = mkdtempSync(join(tmpdir(), 'bookstore-'))
const issuer: TestIssuer = await createTestIssuer()
t.teardown(async () => {
  await issuer.close()
  rmSync(folder, { recursive: true, force: true })
})

const client = issuer.registerClient({
  clientId: 'payment-service',
  audience: 'https://receipts.example',
  scopes: ['receipts:write', 'receipts:read'],
})
const config: PaymentConfig = {
  host: '127.0.0.1',
  port: 0,
  logLevel: 'silent',
  issuer: issuer.url,
  audience: 'https://payments.example',
  database: { folder: join(folder, 'database') },
  receipts: {
    // No service listens on this port, so receipts wait in the outbox.
    baseUrl: 'http://127.0.0.1:1',
    issuer: issuer.url,
    clientId: client.clientId,
    clientSecret: client.clientSecret ?? '',
    audience: 'https://receipts.example',
  },
}
// Stays open, so that the embedded database starts only once.
await copyDatabase(config.database.folder)
const database = await openDatabase(config.database)
t.teardown(() => database.close())

const order = { items: [{ sku: 'B-1001', quantity: 2 }], currency: 'EUR', locale: 'en-IE' }
const request = { order, buyer: { email: 'reader@example.com' }, paymentMethod: 'test_visa' }
type Body = Record<string, unknown>

async function open(
  t: Test,
  parts: Parameters<typeof buildPaymentService>[1] = {},
): Promise<FastifyInstance> {
  // The service checks for abandoned payments at its start, and not again during the test.
  const app = await buildPaymentService(config, { recoveryMs: 3_600_000, ...parts })
  t.teardown(() => app.close())
  return app
}

async function pay(app: FastifyInstance, key: string | undefined, body: Body = request, clientId = 'shop') {
  const token = await issuer.token({
    audience: config.audience,
    clientId,
    scopes: ['payments:write', 'payments:read'],
  })
  const answer = await app.inject({
    method: 'POST',
    url: '/payments',
    headers: {
      authorization: `Bearer ${token}`,
      ...(key === undefined ? {} : { 'idempotency-key': key }),
    },
    payload: body,
  })
  return { status: answer.statusCode, headers: answer.headers, body: answer.json<Body>() }
}

/** Returns a gateway whose answers the test releases, and which counts charges. */
function slowGateway(): PaymentGateway & { charges: Charge[]; answer: (decision: Decision | Error) => void } {
  const charges: Charge[] = []
  const waiting: ((decision: Decision | Error) => void)[] = []
  return {
    charges,
    charge: charge =>
      new Promise((resolve, reject) => {
        charges.push(charge)
        waiting.push(decision => (decision instanceof Error ? reject(decision) : resolve(decision)))
      }),
    answer: decision => waiting.shift()?.(decision),
  }
}

t.test(
  'Idempotency-Key: 400 if it is missing, a replay for the same request, 422 for another request',
  async t => {
    const app = await open(t)
    for (const key of [undefined, '', 'two words', 'x'.repeat(256), 'ключ'])
      t.match(await pay(app, key), { status: 400, body: { code: 'IDEMPOTENCY_KEY_REQUIRED' } }, String(key))
    const key = randomUUID()
    const first = await pay(app, key)
    t.match(first, { status: 201, body: { status: 'paid', total: 4380, receipt: { status: 'pending' } } })
    t.equal(first.headers['location'], `/payments/${String(first.body['paymentId'])}`)
    t.notOk(first.headers['idempotent-replayed'])

    const reordered = { paymentMethod: 'test_visa', buyer: request.buyer, order }
    for (const [name, again] of [
      ['the same', await pay(app, key)],
      ['as a structured string', await pay(app, `"${key}"`)],
      ['in another order of members', await pay(app, key, reordered)],
    ] as const) {
      t.equal(again.status, 201, name)
      t.equal(again.body['paymentId'], first.body['paymentId'])
      t.equal(again.headers['idempotent-replayed'], 'true')
    }
    const other = { ...request, order: { ...order, items: [{ sku: 'B-1001', quantity: 3 }] } }
    const { paymentId } = first.body
    const reused = { code: 'IDEMPOTENCY_KEY_REUSED', paymentId }
    t.match(
      await pay(app, key, other),
      { status: 422, body: reused },
      'the answer names the payment with the key',
    )
    const stranger = await pay(app, key, request, 'another-client')
    t.equal(stranger.status, 201)
    t.not(stranger.body['paymentId'], first.body['paymentId'], 'the key of another client is another key')

    const declinedKey = randomUUID()
    const declined = { ...request, paymentMethod: 'test_declined' }
    const refused = await pay(app, declinedKey, declined)
    t.match(refused, { status: 402, body: { code: 'PAYMENT_DECLINED', declineReason: 'card_declined' } })
    const refusedAgain = await pay(app, declinedKey, declined)
    t.strictSame(refusedAgain.body, refused.body, 'a declined payment is replayed, too')
  },
)

t.test('of two concurrent requests with one key, one pays and the other gets 409', async t => {
  const gateway = slowGateway()
  const app = await open(t, { gateway })
  const key = randomUUID()
  const first = pay(app, key)
  await until('a charge', () => gateway.charges.length === 1)
  t.match(await pay(app, key), { status: 409, body: { code: 'IDEMPOTENCY_KEY_IN_USE' } })
  gateway.answer({ approved: true, authorizationCode: 'A1' })
  t.match(await first, { status: 201 })
  t.equal(gateway.charges.length, 1, 'charged once')
})

t.test('a lost answer of the gateway gives 503, and the same key continues the payment', async t => {
  const gateway = slowGateway()
  const app = await open(t, { gateway })
  const key = randomUUID()
  const first = pay(app, key)
  await until('a charge', () => gateway.charges.length === 1)
  gateway.answer(new Error('lost'))
  const lost = await first
  t.match(lost, { status: 503, body: { code: 'PAYMENT_GATEWAY_UNAVAILABLE' } })
  t.ok(Number(lost.headers['retry-after']) > 0)
  t.notMatch(JSON.stringify(lost.body), /lost"/)

  const again = pay(app, key)
  await until('another charge', () => gateway.charges.length === 2)
  gateway.answer({ approved: true, authorizationCode: 'A1' })
  t.match(await again, { status: 201, body: { status: 'paid' } })
  t.equal(
    gateway.charges[1]?.paymentId,
    gateway.charges[0]?.paymentId,
    'the gateway is asked with its own key',
  )
})

t.test('another process settles an abandoned payment after its lease has expired', async t => {
  const start = Date.now()
  let now = start
  const dead = slowGateway()
  const app = await open(t, { gateway: dead, clock: () => start })
  const key = randomUUID()
  const abandoned = pay(app, key).catch(() => undefined)
  await until('a charge', () => dead.charges.length === 1)
  // The first process is considered dead now: it gets no answer.
  const alive = await open(t, { clock: () => now })
  t.match(await pay(alive, key), { status: 409 }, 'its lease still runs')
  now += 31_000
  t.match(await pay(alive, key), { status: 201, body: { status: 'paid' } })
  dead.answer({ approved: false, reason: 'card_declined' })
  await abandoned
  t.match(await pay(alive, key), { status: 201, body: { status: 'paid' } }, 'a late result changes nothing')
})

t.test('a payment and its outbox row become visible together', async t => {
  const app = await open(t)
  await app.ready()
  await database.exec(`create or replace function payments.refuse() returns trigger language plpgsql
    as $$ begin raise exception 'no outbox today'; end $$;
    create trigger refuse before insert on payments.outbox for each row execute function payments.refuse()`)
  const key = randomUUID()
  t.match(await pay(app, key), { status: 500 })
  const find = () =>
    database.query<{ status: string; outbox: number }>(
      `select status, (select count(*)::int from payments.outbox o where o.payment_id = p.id) as outbox
       from payments.payment p where idempotency_key = $1`,
      [key],
    )
  t.strictSame(await find(), [{ status: 'processing', outbox: 0 }])
  await database.exec('drop trigger refuse on payments.outbox')
  await database.query(
    `update payments.payment set leased_until = now() - interval '1 second' where idempotency_key = $1`,
    [key],
  )
  t.match(await pay(app, key), { status: 201 })
  t.strictSame(await find(), [{ status: 'paid', outbox: 1 }])
})

t.test('invalid orders are refused', async t => {
  const app = await open(t)
  for (const [name, body, status, code] of [
    [
      'no such book',
      { ...request, order: { ...order, items: [{ sku: 'X', quantity: 1 }] } },
      422,
      'PAYMENT_UNKNOWN_BOOK',
    ],
    ['another currency', { ...request, order: { ...order, currency: 'USD' } }, 422, 'PAYMENT_CURRENCY'],
    ['a locale that is none', { ...request, order: { ...order, locale: 'en-US-GB' } }, 422, 'PAYMENT_LOCALE'],
    ['a price of one’s own', { ...request, order: { ...order, total: 1 } }, 400, 'FST_ERR_VALIDATION'],
    [
      'half a book',
      { ...request, order: { ...order, items: [{ sku: 'B-1001', quantity: 0.5 }] } },
      400,
      'FST_ERR_VALIDATION',
    ],
    ['a card number', { ...request, paymentMethod: '4242424242424242' }, 400, 'FST_ERR_VALIDATION'],
    ['no address', { ...request, buyer: { email: 'reader' } }, 400, 'FST_ERR_VALIDATION'],
    [
      'a name with a line break',
      { ...request, buyer: { ...request.buyer, name: 'a\nb' } },
      400,
      'FST_ERR_VALIDATION',
    ],
    [
      '51 lines',
      { ...request, order: { ...order, items: Array.from({ length: 51 }, () => order.items[0]) } },
      400,
      'FST_ERR_VALIDATION',
    ],
  ] as const)
    t.match(await pay(app, randomUUID(), body), { status, body: { code, status } }, name)
})

t.test('payments of another client are answered 404', async t => {
  const app = await open(t)
  const { body } = await pay(app, randomUUID())
  const look = async (clientId: string): Promise<number> => {
    const token = await issuer.token({ audience: config.audience, clientId, scopes: ['payments:read'] })
    const url = `/payments/${String(body['paymentId'])}`
    return (await app.inject({ url, headers: { authorization: `Bearer ${token}` } })).statusCode
  }
  t.equal(await look('shop'), 200)
  t.equal(await look('another-client'), 404)
})

t.test('VAT is rounded once per rate, and all sums add up', async t => {
  for (let seed = 1; seed < 500; seed += 1) {
    const lines = Array.from({ length: (seed % 7) + 1 }, (_, index) => ({
      vatRate: [700, 1900, 0, 550][(seed + index) % 4] ?? 0,
      total: (seed * 7_919 * (index + 3)) % 100_000,
    }))
    const rates = vatByRate(lines)
    const gross = rates.reduce((sum, rate) => sum + rate.gross, 0)
    const isRight =
      gross === lines.reduce((sum, line) => sum + line.total, 0) &&
      rates.every(
        ({ rate, net, vat, gross: paid }) => net + vat === paid && Math.abs(vat - (net * rate) / 10_000) <= 1,
      )
    if (!isRight) t.fail(`seed ${seed}`)
  }
  t.strictSame(vatByRate([{ vatRate: 700, total: 2190 }]), [{ rate: 700, net: 2047, vat: 143, gross: 2190 }])
})

t.test('a key is a structured string or the bare value', async t => {
  t.equal(readIdempotencyKey('"8e03-\\"x\\\\"'), '8e03-"x\\')
  t.equal(readIdempotencyKey(' 8e03978e '), '8e03978e')
  for (const bad of ['"', '"a', 'a"b', '""', 'a,b', '"\u0007"', ['a', 'b']])
    t.throws(() => readIdempotencyKey(bad), /Idempotency-Key header/)
})

t.test('the sandbox gateway loses the configured share of answers', async t => {
  const charge = { paymentId: randomUUID(), amount: 1, currency: 'EUR', method: 'test_visa' } as const
  await t.rejects(sandboxGateway(0.5, () => 0.4).charge(charge))
  t.match(await sandboxGateway(0.5, () => 0.6).charge(charge), { approved: true })
})
