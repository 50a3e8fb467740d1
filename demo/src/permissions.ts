import { permissions } from 'fastify-api-contract-tools'
import { paymentsApi, usedPayments } from './payments-api.js'
import { receiptsApi, usedReceipts } from './receipts-api.js'

/** Which client may call which operation. A test prints this as a table. */
export const allowed = permissions({
  storefront: [usedPayments],
  'payment-service': [usedReceipts],
  // Visitors may only read.
  visitor: [paymentsApi.pick('find', 'findByKey'), receiptsApi.pick('listReceipts', 'readReceipt')],
})

/** Returns the scopes that the authorization server grants a client, by audience. */
export function policyOf(clientId: string): Readonly<Record<string, readonly string[]>> {
  const own = allowed.grants.filter(({ client }) => client === clientId)
  return Object.fromEntries(own.map(({ audience, scopes }) => [audience, scopes]))
}
