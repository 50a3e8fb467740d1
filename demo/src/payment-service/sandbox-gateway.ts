import { createHash } from 'node:crypto'
import type { Decision, PaymentGateway } from './gateway.js'

/** A gateway for trying things out: the method decides, and the authorization code follows from the payment. */
export const sandboxGateway: PaymentGateway = {
  async charge({ paymentId, amount, currency, method }): Promise<Decision> {
    if (method === 'test_declined') return { approved: false, reason: 'card_declined' }
    if (method === 'test_insufficient_funds') return { approved: false, reason: 'insufficient_funds' }
    const digest = createHash('sha256').update(`${paymentId} ${amount} ${currency}`).digest('hex')
    return { approved: true, authorizationCode: digest.slice(0, 12).toUpperCase() }
  },
}
