import type { FastifyInstance } from 'fastify'
import { buildAuthorizationServer } from './authorization-server/app.js'
import type { DemoConfig, Listening } from './config.js'
import { buildPaymentService } from './payment-service/app.js'
import { buildReceiptService } from './receipt-service/app.js'
import { buildStorefront } from './storefront/app.js'

/** The running shop. */
export interface Bookstore {
  readonly authorizationServer: FastifyInstance
  readonly receipts: FastifyInstance
  readonly payments: FastifyInstance
  readonly storefront: FastifyInstance
  /** Lets running work end, then closes everything: callers first, whom they call after them. */
  close(): Promise<void>
}

/** Starts the four services in this process; they talk to each other over HTTP all the same. */
export async function openBookstore(config: DemoConfig): Promise<Bookstore> {
  const opened: FastifyInstance[] = []
  const close = async (): Promise<void> => {
    for (let service = opened.pop(); service !== undefined; service = opened.pop()) await service.close()
  }
  async function open(
    building: Promise<FastifyInstance>,
    { host, port }: Listening,
  ): Promise<FastifyInstance> {
    const service = await building
    opened.push(service)
    await service.listen({ host, port })
    return service
  }

  try {
    const authorizationServer = await open(
      buildAuthorizationServer(config.authorizationServer),
      config.authorizationServer,
    )
    const receipts = await open(buildReceiptService(config.receipts), config.receipts)
    const payments = await open(buildPaymentService(config.payments), config.payments)
    const storefront = await open(buildStorefront(config.storefront), config.storefront)
    return { authorizationServer, receipts, payments, storefront, close }
  } catch (error) {
    await close()
    throw error
  }
}
