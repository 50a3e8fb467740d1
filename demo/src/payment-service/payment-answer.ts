import type { PaymentAnswer } from '../payments-api.js'
import type { Payment } from './payment.js'

/** A payment as clients see it, without its key, lease and trace. */
export function paymentAnswer({
  id,
  status,
  quote,
  createdAt,
  declineReason,
  receipt,
}: Payment): PaymentAnswer {
  return {
    paymentId: id,
    status,
    currency: quote.currency,
    total: quote.total,
    lines: [...quote.lines],
    vat: [...quote.vat],
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
  insufficient_funds: 'The card does not have enough funds. Nothing was charged.',
}

/** Returns problem details (RFC 9457) for a declined payment, with the members of `GET /payments/:id`. */
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
