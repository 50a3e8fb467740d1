import { Type, type TSchema } from 'typebox'
import { receiptSchema, type Receipt, type ReceiptRequest } from '../receipts-api.js'
import { instantOf } from './instant.js'

/** Returns what is inconsistent in a receipt, or undefined if it is consistent. */
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

/** Returns the receipt as canonical JSON, with its members in the order of the schema. */
export function receiptJson(receipt: Receipt): string {
  return JSON.stringify(
    inOrder(receiptSchema, { ...receipt, paidAt: instantOf(receipt.paidAt).toISOString() }),
  )
}

function inOrder(schema: TSchema, value: unknown): unknown {
  if (Type.IsArray(schema) && Array.isArray(value)) return value.map(item => inOrder(schema.items, item))
  if (!Type.IsObject(schema)) return value
  const members = value as Readonly<Record<string, unknown>>
  return Object.fromEntries(
    Object.entries(schema.properties).map(([name, member]) => [name, inOrder(member, members[name])]),
  )
}
