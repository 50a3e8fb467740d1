import type { PaymentMethod, PaymentRequest } from '../payments-api.js'
import type { Quote } from './quote.js'

/** Where the delivery of a paid payment's receipt stands. */
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
  /** The trace of the purchase, for what is done about it later; payments from before it was kept have none. */
  readonly traceId: string | null
  readonly settledAt: Date | null
  /** Absent unless it is paid. */
  readonly receipt: ReceiptState | null
}
