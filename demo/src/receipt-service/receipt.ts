import { Type, type Static } from 'typebox'
import { instantOf } from './instant.js'

/**
 * One line of text a person typed: no control characters, no invisible direction marks, bounded. The two joiners stay:
 * Persian, Sinhala and others need them, and so do emoji.
 */
const text = (maxLength: number) =>
  Type.String({ minLength: 1, maxLength, pattern: '^([^\\p{C}\\p{Zl}\\p{Zp}]|[\\u200C\\u200D])+$' })

/** Money: integer minor units of the receipt's currency (cents; yen). */
const money = Type.Integer({ minimum: 0, maximum: 1_000_000_000 })
/** A VAT rate in hundredths of a percent: 700 is 7 %. */
const vatRate = Type.Integer({ minimum: 0, maximum: 10_000 })

const closed = { additionalProperties: false } as const

/** One book of a receipt. Prices include VAT. */
const receiptLine = Type.Object(
  {
    sku: Type.String({ pattern: '^[A-Za-z0-9-]{1,40}$' }),
    title: text(200),
    author: Type.Optional(text(120)),
    quantity: Type.Integer({ minimum: 1, maximum: 99 }),
    unitPrice: money,
    vatRate,
    total: money,
  },
  closed,
)

/** The VAT of all lines with one rate: net + vat = gross. */
const vatLine = Type.Object({ rate: vatRate, net: money, vat: money, gross: money }, closed)

/**
 * What a payment tells the receipt service: data, never layout.
 * The limits are what a render can bear; a page has room for everything they allow.
 */
export const receiptRequest = Type.Object(
  {
    paidAt: Type.String({ format: 'date-time', maxLength: 35 }),
    locale: Type.String({ pattern: '^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8}){0,4}$', maxLength: 35 }),
    currency: Type.String({ pattern: '^[A-Z]{3}$' }),
    buyer: Type.Object(
      { email: Type.String({ format: 'email', maxLength: 254 }), name: Type.Optional(text(120)) },
      closed,
    ),
    paidWith: text(60),
    lines: Type.Array(receiptLine, { minItems: 1, maxItems: 100 }),
    vat: Type.Array(vatLine, { minItems: 1, maxItems: 20 }),
    total: money,
  },
  closed,
)
export type ReceiptRequest = Static<typeof receiptRequest>

/** A receipt: what was asked for, with its number. The PDF, the page and the JSON are pure functions of it. */
export interface Receipt extends ReceiptRequest {
  readonly paymentId: string
  readonly number: string
}

/** What is inconsistent in a receipt, in a sentence; undefined for a right one. */
export function mistakeIn({ paidAt, lines, vat, total }: ReceiptRequest): string | undefined {
  if (Number.isNaN(instantOf(paidAt).getTime())) return 'paidAt is not a date and time'
  const wrongLine = lines.findIndex(line => line.total !== line.unitPrice * line.quantity)
  if (wrongLine >= 0) return `lines[${wrongLine}].total is not unitPrice × quantity`
  if (sum(lines.map(line => line.total)) !== total) return 'the lines do not add up to total'
  const wrongVat = vat.findIndex(({ rate, net, vat: tax, gross }) => {
    const lineTotals = lines.filter(line => line.vatRate === rate).map(line => line.total)
    return net + tax !== gross || sum(lineTotals) !== gross
  })
  if (wrongVat >= 0) return `vat[${wrongVat}] does not add up to the lines of its rate`
  if (sum(vat.map(({ gross }) => gross)) !== total) return 'the VAT lines do not add up to total'
  return undefined
}

function sum(amounts: readonly number[]): number {
  return amounts.reduce((a, b) => a + b, 0)
}

/** The receipt as canonical JSON: the same members in the same order, whatever order they came in. */
export function receiptJson(receipt: Receipt): string {
  const { buyer, lines, vat } = receipt
  const ordered = {
    number: receipt.number,
    paymentId: receipt.paymentId,
    paidAt: instantOf(receipt.paidAt).toISOString(),
    locale: receipt.locale,
    currency: receipt.currency,
    buyer: { email: buyer.email, name: buyer.name },
    paidWith: receipt.paidWith,
    lines: lines.map(line => ({
      sku: line.sku,
      title: line.title,
      author: line.author,
      quantity: line.quantity,
      unitPrice: line.unitPrice,
      vatRate: line.vatRate,
      total: line.total,
    })),
    vat: vat.map(({ rate, net, vat: tax, gross }) => ({ rate, net, vat: tax, gross })),
    total: receipt.total,
  }
  return JSON.stringify(ordered)
}
