import { randomUUID } from 'node:crypto'
import t from 'tap'
import { getDocumentProxy } from 'unpdf'
import { Compile } from 'typebox/compile'
import { boxMissingGlyphs, formatFor, isPrintable } from '#src/receipt-service/format.js'
import { instantOf, taxYearOf } from '#src/receipt-service/instant.js'
import { minorUnitDigits } from '#src/receipt-service/minor-units.js'
import { receiptsApi, type ReceiptRequest } from '#src/receipts-api.js'
import { mistakeIn } from '#src/receipt-service/receipt.js'
import type { Receipt } from '#src/receipts-api.js'
import { startRenderer } from '#src/receipt-service/render-pdf.js'
import { seeded } from './seeded.js'
import { patienceMs } from './until.js'

t.setTimeout(patienceMs * 3)
const renderer = startRenderer({ threads: 1, maxQueue: 100, timeoutMs: patienceMs, maxHeapMb: 256 })
t.teardown(() => renderer.close())
const number = 'HQ-2026-000042'

/** A text on a page; coordinates in points from the lower left corner. */
interface Placed {
  readonly text: string
  readonly x: number
  readonly y: number
  readonly width: number
}

async function layOut(request: ReceiptRequest): Promise<Placed[][]> {
  const pdf = await renderer.render({ ...request, number, paymentId: randomUUID() } satisfies Receipt)
  const document = await getDocumentProxy(pdf)
  return Promise.all(
    Array.from({ length: document.numPages }, async (_, index) => {
      const { items } = await (await document.getPage(index + 1)).getTextContent()
      return items.flatMap(item =>
        'str' in item && item.str.trim() !== ''
          ? [
              {
                text: item.str,
                x: Number(item.transform[4]),
                y: Number(item.transform[5]),
                width: item.width,
              },
            ]
          : [],
      )
    }),
  )
}

/** Returns texts that leave the page's margins or overlap. */
function misplaced(pages: Placed[][]): string[] {
  const [left, right, bottom, top] = [56 - 0.5, 595.28 - 56 + 0.5, 20, 841.89 - 40]
  return pages.flatMap((page, index) => {
    const outside = page.filter(({ x, y, width }) => x < left || x + width > right || y < bottom || y > top)
    const sorted = page.toSorted((a, b) => a.y - b.y || a.x - b.x)
    const covered = sorted.filter((one, at) => {
      const next = sorted[at + 1]
      return next !== undefined && next.y === one.y && one.x + one.width > next.x + 0.5
    })
    return [...outside, ...covered].map(one => `page ${index + 1}: ${JSON.stringify(one)}`)
  })
}

const line = { sku: 'B-1', title: 'A Book', quantity: 1, unitPrice: 1070, vatRate: 700, total: 1070 }
const vat = [{ rate: 700, net: 1000, vat: 70, gross: 1070 }]
const plain = {
  paidAt: '2026-11-25T12:00:00.000Z',
  locale: 'en-IE',
  currency: 'EUR',
  buyer: { email: 'reader@example.com' },
  paidWith: 'Test Visa',
  lines: [line],
  vat,
  total: 1070,
} satisfies ReceiptRequest
const books = (count: number): ReceiptRequest => ({
  ...plain,
  lines: Array.from({ length: count }, (_, index) => ({ ...line, title: `Book ${index + 1}` })),
})

/** Returns a random text that the schema allows, up to its limits. */
function randomText(random: () => number, longest: number): string {
  const alphabets = [
    'abc d',
    'W',
    'Щ',
    'Ѹ',
    'a\u00A0b',
    'é\u0301e',
    '\u2011x',
    '漢字',
    'سلام\u200Cدنیا',
    '👩\u200D👩',
    'i.',
    'a b-c',
  ]
  const alphabet = Array.from(alphabets[Math.floor(random() * alphabets.length)] ?? 'x')
  const length = random() < 0.4 ? longest : 1 + Math.floor(random() * longest)
  const text = Array.from({ length }, () => alphabet[Math.floor(random() * alphabet.length)]).join('')
  return (
    text
      .slice(0, longest)
      .replace(/[\uD800-\uDBFF]$/, 'x')
      .trim() || 'x'
  )
}

function randomReceipt(random: () => number): ReceiptRequest {
  const upTo = (most: number): number => Math.floor(random() * (most + 1))
  const pick = <T>(choices: readonly T[]): T => choices[upTo(choices.length - 1)] as T
  const amount = (): number => pick([0, 1, upTo(100_000), 1_000_000_000])
  return {
    paidAt: pick(['2026-12-31T23:30:00Z', '2026-06-30T23:59:60Z', '2026-01-01T00:00:00+14:00']),
    locale: pick([
      'en-IE',
      'de-DE',
      'fr-FR',
      'es-ES',
      'ja-JP',
      'ar-EG',
      'hi-IN',
      'pl-PL',
      'de-CH',
      'fa-IR',
      'bg-BG',
    ]),
    currency: pick(['EUR', 'JPY', 'KWD', 'HUF', 'CLF', 'XOF', 'INR', 'CHF', 'ZZZ']),
    buyer: {
      email: `${'w'.repeat(1 + upTo(60))}@${'m'.repeat(1 + upTo(60))}.${'example.'.repeat(upTo(12))}org`,
      ...(random() < 0.5 ? { name: randomText(random, 120) } : {}),
    },
    paidWith: randomText(random, 60),
    lines: Array.from({ length: pick([1, 2, 3, 7, 13, 20]) }, () => ({
      sku: 'B-1',
      title: randomText(random, 200),
      ...(random() < 0.7 ? { author: randomText(random, 120) } : {}),
      quantity: 1 + upTo(98),
      unitPrice: amount(),
      vatRate: pick([0, 700, 1925, 10_000]),
      total: amount(),
    })),
    vat: Array.from({ length: pick([1, 1, 2, 3, 20]) }, (_, index) => ({
      rate: index * 25,
      net: amount(),
      vat: amount(),
      gross: amount(),
    })),
    total: amount(),
  }
}

t.test('no text leaves the page or overlaps, for everything that the schema allows', async t => {
  const random = seeded(42)
  const schema = Compile(receiptsApi.operations.issueReceipt.body)
  for (let run = 1; run <= 40; run += 1) {
    const receipt = randomReceipt(random)
    const told = `run ${run}: ${receipt.locale} ${receipt.currency}, ${receipt.lines.length} lines, ${receipt.vat.length} rates`
    t.ok(schema.Check(receipt), `${told}: allowed`)
    const pages = await layOut(receipt)
    t.strictSame(misplaced(pages).slice(0, 3), [], told)
    t.ok(
      pages.every(page =>
        page
          .map(({ text }) => text)
          .join('')
          .includes(number),
      ),
      'each page shows the number',
    )
  }
})

t.test('the sums are never alone on a page', async t => {
  // Numbers of books around the ends of the first and the second page.
  for (const count of [1, 2, 3, 10, 11, 12, 13, 14, 15, 29, 30, 31]) {
    const pages = await layOut(books(count))
    const withTotal = pages.find(page => page.some(({ text }) => text.trim() === 'Total')) ?? []
    const text = withTotal.map(one => one.text).join(' ')
    t.match(text, `Book ${count}`, `${count} books: the last one is on the page of the sums`)
    if (count > 1) t.match(text, `Book ${count - 1}`, 'the book before it is on the same page')
    t.strictSame(misplaced(pages), [])
  }
})

t.test('several VAT rates get a total row, and figures are right-aligned', async t => {
  const two = {
    ...plain,
    lines: [line, { ...line, vatRate: 1900 }],
    vat: [...vat, { rate: 1900, net: 899, vat: 171, gross: 1070 }],
    total: 2140,
  }
  const [page = []] = await layOut(two)
  const text = page.map(one => one.text).join(' ')
  t.match(text, /Total +€18\.99 +€2\.41 +€21\.40 +Total +€21\.40/)
  t.match(text, 'VAT ID DE 999 999 999')
  const right = (wanted: string): number[] =>
    page.filter(one => one.text.trim() === wanted).map(({ x, width }) => Math.round(x + width))
  t.equal(new Set([...right('€21.40'), Math.max(...right('€10.70'))]).size, 1, 'one right edge')
  const [single = []] = await layOut(plain)
  t.notMatch(single.map(one => one.text).join(' '), /Total.*Total/, 'no total row for one rate')
})

t.test('amounts have the minor units of ISO 4217', async t => {
  for (const [currency, digits] of [
    ['EUR', 2],
    ['HUF', 2],
    ['IQD', 3],
    ['KWD', 3],
    ['JPY', 0],
    ['ISK', 0],
    ['CLF', 4],
    ['ALL', 2],
  ] as const) {
    t.equal(minorUnitDigits(currency), digits)
    t.match(
      formatFor('en-IE', currency).money(1_234_567),
      (1_234_567 / 10 ** digits).toFixed(digits).slice(-digits - 1),
    )
  }
  t.match(formatFor('hu-HU', 'HUF').money(499_000), /4\s?990,00/)
})

t.test('day and year use the seller’s time zone; leap seconds are accepted', async t => {
  t.equal(formatFor('en-IE', 'EUR').date('2026-11-25T23:30:00Z'), '26 November 2026')
  t.equal(taxYearOf('2026-12-31T23:30:00Z'), 2027)
  t.equal(taxYearOf('2026-12-31T22:30:00Z'), 2026)
  t.equal(instantOf('2026-12-31T23:59:60Z').toISOString(), '2027-01-01T00:00:00.000Z')
  t.equal(instantOf('2027-01-01T00:59:60.5+01:00').toISOString(), '2027-01-01T00:00:00.500Z')
  t.equal(instantOf('2026-11-25t12:00:00z').toISOString(), '2026-11-25T12:00:00.000Z')
  t.match(mistakeIn({ ...plain, paidAt: '2026-02-31T25:00:00Z' }), 'paidAt')
})

t.test('names with joiners are accepted; accents and narrow spaces are displayed', async t => {
  const schema = Compile(receiptsApi.operations.issueReceipt.body)
  for (const name of ['می\u200Cخواهم', 'ක්\u200Dෂ', '👩\u200D👩\u200D👧', 'e\u0301', 'a\u202Fb', 'x\u0301'])
    t.ok(schema.Check({ ...plain, buyer: { ...plain.buyer, name } }), name)
  for (const name of ['a\u202Eb', 'a\u200Eb', 'a\u0000b', 'a\u2028b', '\u200B', 'a\uFEFFb'])
    t.notOk(
      schema.Check({ ...plain, buyer: { ...plain.buyer, name } }),
      Array.from(name, character => character.codePointAt(0)?.toString(16)).join(' '),
    )
  t.equal(boxMissingGlyphs('e\u0301 x\u0301 n\u0303'), 'é x\u0301 ñ')
  t.equal(boxMissingGlyphs('1\u202F234'), '1\u00A0234')
  t.equal(boxMissingGlyphs('👩\u200D👩\uFE0F'), '◊◊', 'joiners have no box of their own')
  t.ok(isPrintable('e\u0301\u202Fx'))
  t.notOk(isPrintable('漢'))
})
