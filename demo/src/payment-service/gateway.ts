import type { PaymentMethod } from '../payments-api.js'

/** What a gateway is asked for. */
export interface Charge {
  /** The gateway's idempotency key: however often it is asked, one payment is charged once and answered the same. */
  readonly paymentId: string
  /** In minor units of the currency. */
  readonly amount: number
  /** ISO 4217. */
  readonly currency: string
  readonly method: PaymentMethod
}

/** What the gateway decided, for good. */
export type Decision =
  | { readonly approved: true; readonly authorizationCode: string }
  | { readonly approved: false; readonly reason: 'card_declined' | 'insufficient_funds' }

/** The port behind which money moves. */
export interface PaymentGateway {
  /**
   * Charges the buyer.
   * @throws when the gateway could not be asked or its answer was lost: whether it charged is unknown then, and is
   * found out by asking again with the same payment id
   */
  charge(charge: Charge): Promise<Decision>
}

/** How a method is called on a receipt. */
export const methodNames: Readonly<Record<PaymentMethod, string>> = {
  test_visa: 'Test Visa ending in 4242',
  test_declined: 'Test card ending in 0002',
  test_insufficient_funds: 'Test card ending in 9995',
}
