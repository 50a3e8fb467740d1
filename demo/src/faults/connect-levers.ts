import { randomUUID } from 'node:crypto'
import fastify, { type FastifyInstance } from 'fastify'
import tokenClient from 'fastify-token-client'
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
      const [toPayments, toReceipts] = [config.storefront.payments, config.payments.receipts]
      await callOnce('storefront', { name: 'payments', ...toPayments }, `/payments/${randomUUID()}`)
      await callOnce('payments', { name: 'receipts', ...toReceipts }, `/receipts/${randomUUID()}`)
    },
  }
}

/** Calls as another replica of the service would, with a token of its own. What is answered does not matter. */
async function callOnce(
  lane: Lane,
  { name, ...callsWith }: CallsWith & { readonly name: 'payments' | 'receipts' },
  path: string,
): Promise<void> {
  const replica = fastify()
  await replica.register(tokenClient, { name, ...callsWith, prefetch: 'lazy' })
  await inLane(lane, async () => {
    await replica.ready()
    const { body } = await replica[name].request({ path })
    await body.dump()
  }).catch(() => {})
  await replica.close()
}
