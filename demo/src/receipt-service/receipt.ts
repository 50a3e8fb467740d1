import type { ReceiptRequest } from '../receipts-api.js'
import { instantOf } from './instant.js'

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
