import { randomUUID } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import { createTokenClient } from 'fastify-token-client'
import type { CallsWith, DemoConfig } from '../config.js'
import type { Lane } from '../live/exchange.js'
import { inLane } from '../live/lanes.js'
import { controlServer } from './control-server.js'
import type { ForgetfulClock } from './forgetful-clock.js'
import type { Levers } from './switches.js'

/** What the switches take hold of. */
export interface Grips {
  readonly authorizationServer: FastifyInstance
  readonly receipts: FastifyInstance
  /** The one that both clients go by. */
  readonly clock: ForgetfulClock
}

export function connectLevers(config: DemoConfig, { authorizationServer, receipts, clock }: Grips): Levers {
  return {
    issuer: authorizationServer.issuer,
    issuerServer: controlServer(authorizationServer.server),
    receiptServer: controlServer(receipts.server),
    forgetTokens: () => clock.forget(),
    async showNewKey() {
      await callOnce('storefront', config.storefront.payments, `/payments/${randomUUID()}`)
      await callOnce('payments', config.payments.receipts, `/receipts/${randomUUID()}`)
    },
  }
}

/** Calls as another replica of the service would, with a token of its own. What is answered does not matter. */
async function callOnce(lane: Lane, callsWith: CallsWith, path: string): Promise<void> {
  const replica = createTokenClient(callsWith)
  await inLane(lane, () => replica.request({ path }))
    .then(({ body }) => body.dump())
    .catch(() => {})
  await replica.close()
}
