import { Type } from 'typebox'
import type { Payment } from './payment.js'

const money = Type.Integer({ description: 'In minor units of the currency' })

/** A payment as its client sees it. */
export const paymentAnswer = Type.Object({
  paymentId: Type.String({ format: 'uuid' }),
  status: Type.Enum(['processing', 'paid', 'declined']),
  currency: Type.String(),
  total: money,
  lines: Type.Array(
    Type.Object({
      sku: Type.String(),
      title: Type.String(),
      author: Type.String(),
      quantity: Type.Integer(),
      unitPrice: money,
      vatRate: Type.Integer({ description: 'In hundredths of a percent' }),
      total: money,
    }),
  ),
  vat: Type.Array(Type.Object({ rate: Type.Integer(), net: money, vat: money, gross: money })),
  createdAt: Type.String({ format: 'date-time' }),
  declineReason: Type.Optional(Type.String()),
  receipt: Type.Optional(
    Type.Object({
      status: Type.Enum(['pending', 'delivered', 'poisoned']),
      number: Type.Optional(Type.String()),
    }),
  ),
})

/** A declined payment as problem details (RFC 9457). */
export const declinedAnswer = Type.Object(
  {
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String(),
    code: Type.String(),
    paymentId: Type.String({ format: 'uuid' }),
    declineReason: Type.String(),
  },
  { description: 'Problem details (RFC 9457)' },
)

/** A payment without what is nobody else's business: its keys, its lease, its trace. */
export function answer({ id, status, quote, createdAt, declineReason, receipt }: Payment) {
  return {
    paymentId: id,
    status,
    currency: quote.currency,
    total: quote.total,
    lines: quote.lines.map(line => ({ ...line })),
    vat: quote.vat.map(line => ({ ...line })),
    createdAt: createdAt.toISOString(),
    ...(declineReason === null ? {} : { declineReason }),
    ...(receipt === null
      ? {}
      : {
          receipt: { status: receipt.status, ...(receipt.number === null ? {} : { number: receipt.number }) },
        }),
  }
}

const declineDetails: Readonly<Record<string, string>> = {
  card_declined: 'The card was declined. Nothing was charged.',
  insufficient_funds: 'The card has not enough funds. Nothing was charged.',
}

/** A declined payment as problem details (RFC 9457), with what `GET /payments/:id` would say of it. */
export function declined({ id, declineReason }: Payment) {
  const reason = declineReason ?? 'declined'
  return {
    title: 'Payment Required',
    status: 402,
    detail: declineDetails[reason] ?? 'The payment was declined. Nothing was charged.',
    code: 'PAYMENT_DECLINED',
    paymentId: id,
    declineReason: reason,
  }
}
