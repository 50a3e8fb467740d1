import { createHash, randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { createTestIssuer } from 'oauth-test-issuer'
import t, { type Test } from 'tap'
import { extractText, getDocumentProxy } from 'unpdf'
import type { ReceiptConfig } from '#src/config.js'
import { openDatabase } from '#src/database/database.js'
import { buildReceiptService } from '#src/receipt-service/app.js'
import { boxMissingGlyphs, formatFor } from '#src/receipt-service/format.js'
import type { Receipt } from '#src/receipts-api.js'
import { startRenderer, type RenderLimits } from '#src/receipt-service/render-pdf.js'
import { copyDatabase } from './database-template.js'
import { patienceMs } from './until.js'

const folder = mkdtempSync(join(tmpdir(), 'bookstore-'))
const issuer = await createTestIssuer()
const config: ReceiptConfig = {
  host: '127.0.0.1',
  port: 0,
  logLevel: 'silent',
  issuer: issuer.url,
  audience: 'https://receipts.example',
  database: { folder: join(folder, 'database') },
}
// Stays open, so that the embedded database starts only once.
await copyDatabase(config.database.folder)
const database = await openDatabase(config.database)
const token = await issuer.token({
  audience: config.audience,
  scopes: ['receipts:write', 'receipts:read'],
  expiresInMs: 3_600_000,
})
t.teardown(async () => {
  await database.close()
  await issuer.close()
  rmSync(folder, { recursive: true, force: true })
})

const line = { sku: 'B-1', title: 'A Book', author: 'Somebody', quantity: 2, unitPrice: 1070, vatRate: 700 }
const content = {
  paidAt: '2026-11-25T12:00:00.000Z',
  locale: 'en-IE',
  currency: 'EUR',
  buyer: { email: 'reader@example.com', name: 'Zoë' },
  paidWith: 'Test Visa',
  lines: [{ ...line, total: 2140 }],
  vat: [{ rate: 700, net: 2000, vat: 140, gross: 2140 }],
  total: 2140,
}
/** The largest receipt that the schema allows, which takes long to render. */
const largest = {
  ...content,
  buyer: { email: 'reader@example.com', name: 'W'.repeat(120) },
  lines: Array.from({ length: 100 }, () => ({
    ...line,
    total: 2140,
    title: 'W'.repeat(200),
    author: 'W'.repeat(120),
  })),
  vat: [{ rate: 700, net: 200_000, vat: 14_000, gross: 214_000 }],
  total: 214_000,
}
const lines = (count: number) => Array.from({ length: count }, () => content.lines[0])
const titled = (title: string) => ({ ...content, lines: [{ ...content.lines[0], title }] })
const usual: RenderLimits = { threads: 1, maxQueue: 10, timeoutMs: patienceMs, maxHeapMb: 256 }

async function open(t: Test, render: Partial<RenderLimits> = {}): Promise<FastifyInstance> {
  const app = await buildReceiptService({ ...config, render: { timeoutMs: patienceMs, ...render } })
  t.teardown(() => app.close())
  return app
}
const authorization = `Bearer ${token}`
const put = (app: FastifyInstance, id: string, payload: object = content) =>
  app.inject({ method: 'PUT', url: `/receipts/${id}`, headers: { authorization }, payload })
const get = (app: FastifyInstance, id: string, headers: Record<string, string> = {}) =>
  app.inject({ url: `/receipts/${id}`, headers: { authorization, ...headers } })

t.test(
  'a receipt is issued once per payment, never changes, and has three representations with entity tags',
  async t => {
    const app = await open(t)
    const id = randomUUID()
    const issued = await put(app, id)
    t.equal(issued.statusCode, 201)
    const { number, sha256 } = issued.json<{ number: string; sha256: string }>()
    t.match(number, /^HQ-2026-\d{6}$/)
    const again = await put(app, id.toUpperCase())
    t.equal(again.statusCode, 200)
    t.match(again.json(), { number, sha256 })
    t.match((await put(app, id, { ...content, paidWith: 'Cash' })).json(), {
      status: 409,
      code: 'RECEIPT_CONFLICT',
    })

    const pdf = await get(app, id)
    t.match(pdf.headers, { 'content-type': 'application/pdf', etag: `"${sha256}"`, vary: 'Accept' })
    t.match(pdf.headers['content-disposition'], `receipt-${number}.pdf`)
    t.equal(
      createHash('sha256').update(pdf.rawPayload).digest('hex'),
      sha256,
      'the SHA-256 is that of the bytes',
    )
    t.equal(pdf.headers['repr-digest'], `sha-256=:${Buffer.from(sha256, 'hex').toString('base64')}:`)
    for (const accept of ['application/pdf', 'text/html', 'application/json']) {
      const first = await get(app, id, { accept })
      t.match(first.headers['content-type'], accept)
      const tag = String(first.headers['etag'])
      for (const match of [tag, `W/${tag}`, `"other", ${tag}`, '*']) {
        const unchanged = await get(app, id, { accept, 'if-none-match': match })
        t.equal(unchanged.statusCode, 304, match)
        t.equal(unchanged.body, '')
      }
      t.equal((await get(app, id, { accept, 'if-none-match': '"other"' })).statusCode, 200)
    }
    t.match((await get(app, id, { accept: 'image/png' })).json(), { status: 406 })
    t.match((await get(app, randomUUID())).json(), { status: 404, code: 'RECEIPT_NOT_FOUND' })

    const document = await getDocumentProxy(new Uint8Array(pdf.rawPayload))
    const attachments = (await document.getAttachments()) as Record<string, { content: Uint8Array }>
    const attached = Buffer.from(attachments['receipt.json']?.content ?? []).toString()
    t.equal(attached, (await get(app, id, { accept: 'application/json' })).body, 'receipt.json is attached')
    t.match(JSON.parse(attached), { number, paymentId: id, total: 2140 })
  },
)

t.test('receipts that are too large or inconsistent are refused', async t => {
  const app = await open(t)
  for (const [name, payload, status] of [
    ['a long word', titled('x'.repeat(201)), 400],
    ['thousands of lines', { ...content, lines: lines(1_000) }, 400],
    ['more than the body may have', { ...content, lines: lines(5_000) }, 413],
    ['control characters', titled('a\u0007b'), 400],
    ['a direction mark', titled('a\u202Eb'), 400],
    ['a definition instead of text', titled({ svg: '<svg/>' } as never), 400],
    ['an unknown member', { ...content, footer: 'x' }, 400],
    ['half a cent', { ...content, total: 2140.5 }, 400],
    ['a wrong sum', { ...content, total: 2141 }, 422],
    ['a wrong line', { ...content, lines: [{ ...content.lines[0], total: 1070 }] }, 422],
    ['wrong VAT', { ...content, vat: [{ rate: 700, net: 2000, vat: 141, gross: 2140 }] }, 422],
    ['no such locale', { ...content, locale: 'en-US-GB' }, 422],
  ] as const)
    t.equal((await put(app, randomUUID(), payload)).statusCode, status, name)
  t.equal(
    (await put(app, randomUUID(), largest)).statusCode,
    201,
    'the largest that is allowed can be rendered',
  )
  const odd = {
    ...content,
    paidAt: '2026-12-31T23:59:60Z',
    buyer: { ...content.buyer, name: 'می\u200Cخواهم' },
  }
  const leap = await put(app, randomUUID(), odd)
  t.equal(leap.statusCode, 201, 'a leap second and a joiner are allowed')
  t.match(leap.json(), { number: /^HQ-2027-/ }, 'the year is in the seller’s time zone')
})

t.test('the same receipt gives the same bytes in every thread', async t => {
  const receipt: Receipt = { ...content, paymentId: randomUUID(), number: 'HQ-2026-000001' }
  const digests = new Set<string>()
  for (let pool = 0; pool < 2; pool += 1) {
    const renderer = startRenderer({ ...usual, threads: 2 })
    const pdfs = await Promise.all([1, 2, 3, 4].map(() => renderer.render(receipt)))
    for (const pdf of pdfs) digests.add(createHash('sha256').update(pdf).digest('hex'))
    await renderer.close()
  }
  t.equal(digests.size, 1)
})

t.test('a full queue gives 503 with Retry-After, and queued receipts are issued', async t => {
  const app = await open(t, { maxQueue: 1 })
  const ids = Array.from({ length: 6 }, () => randomUUID())
  const answers = await Promise.all(ids.map(id => put(app, id, largest)))
  const refused = answers.filter(({ statusCode }) => statusCode === 503)
  t.ok(refused.length > 0 && refused.length < ids.length, `${refused.length} of 6 are refused`)
  for (const answer of refused) {
    t.match(answer.json(), { code: 'RECEIPT_RENDERER_BUSY' })
    t.ok(Number(answer.headers['retry-after']) > 0)
  }
  t.ok(answers.every(({ statusCode }) => statusCode === 201 || statusCode === 503))
  for (const [index, { statusCode }] of answers.entries())
    if (statusCode === 503)
      t.equal(
        (await put(app, ids[index] ?? '', largest)).statusCode,
        200,
        'the next try finds its number, and makes the document',
      )
})

t.test('a receipt that exceeds its time is issued by a later attempt', async t => {
  const id = randomUUID()
  const hasty = await open(t, { timeoutMs: 1 })
  const late = await put(hasty, id, largest)
  t.match(late.json(), { status: 503, code: 'RECEIPT_RENDER_FAILED' })
  t.ok(Number(late.headers['retry-after']) > 0)
  const patient = await open(t)
  t.equal((await put(patient, id, largest)).statusCode, 200)
  t.match((await get(patient, id)).headers['content-type'], 'application/pdf')
})

t.test('a thread that exceeds its memory ends without ending the service', async t => {
  const renderer = startRenderer({ ...usual, maxHeapMb: 8 })
  t.teardown(() => renderer.close().catch(() => {}))
  await t.rejects(
    renderer.render({
      ...content,
      lines: Array.from({ length: 100 }, () => ({ ...line, total: 2140, title: 'W '.repeat(99) })),
      paymentId: randomUUID(),
      number: 'HQ-2026-000002',
    }),
    { code: 'RECEIPT_RENDER_FAILED', statusCode: 503 },
  )
})

t.test('rendering does not block the main thread', async t => {
  const renderer = startRenderer(usual)
  t.teardown(() => renderer.close())
  const receipt: Receipt = { ...largest, paymentId: randomUUID(), number: 'HQ-2026-000003' }
  await renderer.render(receipt)
  let isDone = false
  const rendered = renderer.render(receipt).finally(() => (isDone = true))
  // A render in this thread would block it almost completely.
  let turns = 0
  for (; !isDone && turns < 10_000; turns += 1) await new Promise(setImmediate)
  await rendered
  t.ok(turns > 500, `the loop turns ${turns} times while a receipt is rendered`)
})

const formatted = (locale: string, currency: string): string => {
  const { money, date, rate } = formatFor(locale, currency)
  return [money(123_456), date('2026-11-25T23:59:59Z'), rate(725)].join(' | ')
}

t.test('amounts and dates are formatted for the locale, with characters of the font', async t => {
  t.equal(formatted('en-IE', 'EUR'), '€1,234.56 | 26 November 2026 | 7.25%')
  t.equal(formatted('de-DE', 'EUR'), '1.234,56\u00A0€ | 26. November 2026 | 7,25\u00A0%')
  t.equal(formatted('fr-FR', 'EUR'), '1\u00A0234,56\u00A0€ | 26 novembre 2026 | 7,25\u00A0%', 'no U+202F')
  t.match(
    formatted('ja-JP', 'JPY'),
    /^(JP)?¥123,456 \| 26 November 2026/,
    'dates in another script use en-GB',
  )
  t.match(formatted('en-GB', 'KWD'), '123.456', 'three decimals')
  t.match(formatted('ar-EG', 'EUR'), '€1,234.56', 'Latin digits')
  t.equal(boxMissingGlyphs('Café 漢 字 Αθήνα Москва'), 'Café ◊ ◊ Αθήνα Москва')

  const renderer = startRenderer(usual)
  t.teardown(() => renderer.close())
  for (const [locale, currency] of [
    ['fr-FR', 'EUR'],
    ['ja-JP', 'JPY'],
    ['el-GR', 'EUR'],
    ['bg-BG', 'EUR'],
  ] as const) {
    const pdf = await renderer.render({
      ...content,
      locale,
      currency,
      paymentId: randomUUID(),
      number: 'HQ-2026-000004',
    })
    const { text } = await extractText(await getDocumentProxy(pdf), { mergePages: true })
    t.match(
      text.replaceAll('\u00A0', ' '),
      formatFor(locale, currency).money(2140).replaceAll('\u00A0', ' '),
      locale,
    )
  }
})
