import { randomUUID } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import { createTokenClient } from 'fastify-token-client'
import { clientOptions } from '../client-options.js'
import type { DemoConfig } from '../config.js'
import type { Lane } from '../live/exchange.js'
import { inLane } from '../live/lanes.js'
import { usedPayments } from '../payments-api.js'
import { usedReceipts } from '../receipts-api.js'
import { controlServer } from './control-server.js'
import type { ForgetfulClock } from './forgetful-clock.js'
import type { Levers } from './switches.js'

/** The running services that the switches change. */
export interface Grips {
  readonly authorizationServer: FastifyInstance
  readonly receipts: FastifyInstance
  /** The clock of both token clients. */
  readonly clock: ForgetfulClock
}

export function connectLevers(config: DemoConfig, { authorizationServer, receipts, clock }: Grips): Levers {
  return {
    issuer: authorizationServer.issuer,
    issuerServer: controlServer(authorizationServer.server),
    receiptServer: controlServer(receipts.server),
    forgetTokens: () => clock.forget(),
    async showNewKey() {
      const params = { paymentId: randomUUID() }
      const payments = createTokenClient(clientOptions(config.storefront.payments, usedPayments))
      await callOnce('storefront', payments, () => payments.call('find', { params }))
      const toReceipts = createTokenClient(clientOptions(config.payments.receipts, usedReceipts))
      await callOnce('payments', toReceipts, () => toReceipts.call('readReceipt', { params }))
    },
  }
}

/** Makes one call with a new token, as another replica of the service would. The answer does not matter. */
async function callOnce(
  lane: Lane,
  client: { close(): Promise<void> },
  call: () => Promise<unknown>,
): Promise<void> {
  await inLane(lane, call).catch(() => {})
  await client.close()
}
