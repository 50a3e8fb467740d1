import { createHash } from 'node:crypto'
import type { Charge, Decision, PaymentGateway } from './gateway.js'

/**
 * Simulates a gateway: the method decides the outcome, and the authorization code depends only on the payment.
 * @param loss share of answers that are lost, from 0 to 1
 */
export function sandboxGateway(loss = 0, random: () => number = Math.random): PaymentGateway {
  return {
    async charge(charge) {
      const decision = decide(charge)
      if (random() < loss) throw new Error('the answer of the gateway was lost')
      return decision
    },
  }
}

function decide({ paymentId, amount, currency, method }: Charge): Decision {
  if (method === 'test_declined') return { approved: false, reason: 'card_declined' }
  if (method === 'test_insufficient_funds') return { approved: false, reason: 'insufficient_funds' }
  const digest = createHash('sha256').update(`${paymentId} ${amount} ${currency}`).digest('hex')
  return { approved: true, authorizationCode: digest.slice(0, 12).toUpperCase() }
}
