import type { PaymentMethod, PaymentRequest } from '../payments-api.js'
import type { Quote } from './quote.js'

/** Delivery status of a receipt. */
export interface ReceiptState {
  readonly status: 'pending' | 'delivered' | 'poisoned'
  readonly number: string | null
}

/** A payment as stored. */
export interface Payment {
  readonly id: string
  readonly clientId: string
  readonly fingerprint: string
  readonly status: 'processing' | 'paid' | 'declined'
  readonly quote: Quote
  readonly buyer: PaymentRequest['buyer']
  readonly method: PaymentMethod
  readonly declineReason: string | null
  readonly createdAt: Date
  /** Trace id of the purchase; null for payments from before it was stored. */
  readonly traceId: string | null
  readonly settledAt: Date | null
  /** Absent unless the payment is paid. */
  readonly receipt: ReceiptState | null
}
