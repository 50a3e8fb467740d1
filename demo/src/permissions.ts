import { permissions } from 'fastify-api-contract-tools'
import { paymentsApi, usedPayments } from './payments-api.js'
import { receiptsApi, usedReceipts } from './receipts-api.js'

/** Who may call what: a test shows it as a table. */
export const allowed = permissions({
  storefront: [usedPayments],
  'payment-service': [usedReceipts],
  // Visitors may look, and change nothing.
  visitor: [paymentsApi.pick('find', 'findByKey'), receiptsApi.pick('listReceipts', 'readReceipt')],
})

/** Audience → the scopes that the authorization server gives a client for it. */
export function policyOf(clientId: string): Readonly<Record<string, readonly string[]>> {
  const own = allowed.grants.filter(({ client }) => client === clientId)
  return Object.fromEntries(own.map(({ audience, scopes }) => [audience, scopes]))
}
