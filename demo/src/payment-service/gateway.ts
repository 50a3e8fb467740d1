import type { PaymentMethod } from '../payments-api.js'

/** A charge request for the gateway. */
export interface Charge {
  /** Idempotency key for the gateway: repeated requests charge a payment once and get the same answer. */
  readonly paymentId: string
  /** In minor units of the currency. */
  readonly amount: number
  /** ISO 4217. */
  readonly currency: string
  readonly method: PaymentMethod
}

/** The gateway's final decision. */
export type Decision =
  | { readonly approved: true; readonly authorizationCode: string }
  | { readonly approved: false; readonly reason: 'card_declined' | 'insufficient_funds' }

/** Interface to the payment provider. */
export interface PaymentGateway {
  /**
   * Charges the buyer.
   * @throws if the request failed or the answer was lost; the buyer may have been charged, and a repeated request with
   * the same payment id returns the decision
   */
  charge(charge: Charge): Promise<Decision>
}

/** Returns the name of a payment method on the receipt. */
export const methodNames: Readonly<Record<PaymentMethod, string>> = {
  test_visa: 'Test Visa ending in 4242',
  test_declined: 'Test card ending in 0002',
  test_insufficient_funds: 'Test card ending in 9995',
}
