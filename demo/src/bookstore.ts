import type { FastifyInstance } from 'fastify'
import { buildAuthorizationServer } from './authorization-server/app.js'
import type { DemoConfig, Listening } from './config.js'
import { connectLevers } from './faults/connect-levers.js'
import { createForgetfulClock } from './faults/forgetful-clock.js'
import type { Lane } from './live/exchange.js'
import { createJournal } from './live/journal.js'
import { inLane } from './live/lanes.js'
import { observe } from './live/observe.js'
import { closeConnections } from './operations/close-connections.js'
import { buildPaymentService } from './payment-service/app.js'
import { buildReceiptService } from './receipt-service/app.js'
import { buildStorefront } from './storefront/app.js'
import { tryItYourself } from './try-it.js'

/** The running shop. */
export interface Bookstore {
  /** Undefined if the configuration names an external issuer. */
  readonly authorizationServer: FastifyInstance | undefined
  readonly receipts: FastifyInstance
  readonly payments: FastifyInstance
  readonly storefront: FastifyInstance
  /** Waits for running requests, then closes all services. Callers close before the services that they call. */
  close(): Promise<void>
}

const callersFirst: readonly Lane[] = ['storefront', 'payments', 'receipts', 'authorizationServer']

/**
 * Starts the four services in this process. They call each other over HTTP.
 * @param databaseReady resolves when the database may be opened
 */
export async function openBookstore(
  config: DemoConfig,
  databaseReady: Promise<void> = Promise.resolve(),
): Promise<Bookstore> {
  const opened = new Map<Lane, FastifyInstance>()
  const journal = createJournal()
  const clock = createForgetfulClock()
  const stopObserving = observe(journal, config)
  const close = async (): Promise<void> => {
    for (const lane of callersFirst) await opened.get(lane)?.close()
    stopObserving()
  }
  const open = (lane: Lane, { host, port }: Listening, build: () => Promise<FastifyInstance>) =>
    inLane(lane, async (): Promise<FastifyInstance> => {
      const service = await build()
      closeConnections(service)
      opened.set(lane, service)
      await service.listen({ host, port })
      return service
    })

  try {
    const authorizationServer = config.isIssuerReal
      ? undefined
      : await open('authorizationServer', config.authorizationServer, () =>
          buildAuthorizationServer(config.authorizationServer),
        )
    await databaseReady
    const [receipts, payments] = await allOpen([
      open('receipts', config.receipts, () => buildReceiptService(config.receipts)),
      open('payments', config.payments, () =>
        buildPaymentService({
          ...config.payments,
          receipts: { ...config.payments.receipts, clock: clock.now },
        }),
      ),
    ])
    const storefront = await open('storefront', config.storefront, () =>
      buildStorefront(
        { ...config.storefront, payments: { ...config.storefront.payments, clock: clock.now } },
        {
          journal,
          levers: authorizationServer && connectLevers(config, { authorizationServer, receipts, clock }),
          tryIt: tryItYourself(config),
        },
      ),
    )
    return { authorizationServer, receipts, payments, storefront, close }
  } catch (error) {
    await close()
    throw error
  }
}

/** Waits for both services even if one fails, because a service that is still starting cannot be closed. */
async function allOpen(opening: readonly [Promise<FastifyInstance>, Promise<FastifyInstance>]) {
  await Promise.allSettled(opening)
  return Promise.all(opening)
}
