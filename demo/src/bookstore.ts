import type { FastifyInstance } from 'fastify'
import { buildAuthorizationServer } from './authorization-server/app.js'
import type { DemoConfig, Listening } from './config.js'
import { connectLevers } from './faults/connect-levers.js'
import { createForgetfulClock } from './faults/forgetful-clock.js'
import type { Lane } from './live/exchange.js'
import { createJournal } from './live/journal.js'
import { inLane, observe } from './live/observe.js'
import { closeSilentConnections } from './operations/close-silent-connections.js'
import { buildPaymentService } from './payment-service/app.js'
import { buildReceiptService } from './receipt-service/app.js'
import { buildStorefront } from './storefront/app.js'

/** The running shop. */
export interface Bookstore {
  /** Absent where the issuer is somebody else's. */
  readonly authorizationServer: FastifyInstance | undefined
  readonly receipts: FastifyInstance
  readonly payments: FastifyInstance
  readonly storefront: FastifyInstance
  /** Lets running work end, then closes everything: callers first, whom they call after them. */
  close(): Promise<void>
}

/** Starts the four services in this process; they talk to each other over HTTP all the same. */
export async function openBookstore(config: DemoConfig): Promise<Bookstore> {
  const opened: FastifyInstance[] = []
  const journal = createJournal()
  const clock = createForgetfulClock()
  const stopObserving = observe(journal, config)
  const close = async (): Promise<void> => {
    for (let service = opened.pop(); service !== undefined; service = opened.pop()) await service.close()
    stopObserving()
  }
  const open = (lane: Lane, { host, port }: Listening, build: () => Promise<FastifyInstance>) =>
    inLane(lane, async (): Promise<FastifyInstance> => {
      const service = await build()
      closeSilentConnections(service)
      opened.push(service)
      await service.listen({ host, port })
      return service
    })

  try {
    const authorizationServer = config.isIssuerReal
      ? undefined
      : await open('authorizationServer', config.authorizationServer, () =>
          buildAuthorizationServer(config.authorizationServer),
        )
    const receipts = await open('receipts', config.receipts, () => buildReceiptService(config.receipts))
    const payments = await open('payments', config.payments, () =>
      buildPaymentService({
        ...config.payments,
        receipts: { ...config.payments.receipts, clock: clock.now },
      }),
    )
    const storefront = await open('storefront', config.storefront, () =>
      buildStorefront(
        { ...config.storefront, payments: { ...config.storefront.payments, clock: clock.now } },
        {
          journal,
          levers: authorizationServer && connectLevers(config, { authorizationServer, receipts, clock }),
        },
      ),
    )
    return { authorizationServer, receipts, payments, storefront, close }
  } catch (error) {
    await close()
    throw error
  }
}
