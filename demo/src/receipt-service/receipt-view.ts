import { formatFor, type Format } from './format.js'
import { labelsFor, type Labels } from './labels.js'
import type { Receipt } from '../receipts-api.js'

/** The texts of a receipt in the buyer's language, for the PDF and for the page. */
export interface ReceiptView {
  readonly language: string
  readonly labels: Labels
  readonly number: string
  readonly date: string
  readonly paymentId: string
  readonly paidWith: string
  readonly buyer: { readonly name: string | undefined; readonly email: string }
  readonly lines: readonly {
    readonly title: string
    readonly author: string | undefined
    readonly sku: string
    readonly quantity: string
    readonly unitPrice: string
    readonly vatRate: string
    readonly total: string
  }[]
  readonly vat: readonly {
    readonly rate: string
    readonly net: string
    readonly vat: string
    readonly gross: string
  }[]
  /** The sums of all rates, if there are several. */
  readonly vatTotal: { readonly net: string; readonly vat: string; readonly gross: string } | undefined
  readonly total: string
}

/** Formats a receipt in its locale. */
export function viewReceipt(receipt: Receipt): ReceiptView {
  const { language, labels } = labelsFor(receipt.locale)
  const format = formatFor(receipt.locale, receipt.currency)
  return {
    language,
    labels,
    number: receipt.number,
    date: format.date(receipt.paidAt),
    paymentId: receipt.paymentId,
    paidWith: receipt.paidWith,
    buyer: { name: receipt.buyer.name, email: receipt.buyer.email },
    lines: receipt.lines.map(line => ({
      title: line.title,
      author: line.author,
      sku: line.sku,
      quantity: String(line.quantity),
      unitPrice: format.money(line.unitPrice),
      vatRate: format.rate(line.vatRate),
      total: format.money(line.total),
    })),
    vat: receipt.vat.map(({ rate, net, vat, gross }) => ({
      rate: format.rate(rate),
      net: format.money(net),
      vat: format.money(vat),
      gross: format.money(gross),
    })),
    vatTotal: vatTotal(receipt, format),
    total: format.money(receipt.total),
  }
}

function vatTotal({ vat }: Receipt, format: Format): ReceiptView['vatTotal'] {
  if (vat.length < 2) return undefined
  const sum = (part: 'net' | 'vat' | 'gross'): string =>
    format.money(vat.reduce((total, line) => total + line[part], 0))
  return { net: sum('net'), vat: sum('vat'), gross: sum('gross') }
}
