import { setTimeout as delay } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import tokenClient, { type TokenClientFor } from 'fastify-token-client'
import { clientOptions } from '../client-options.js'
import type { PaymentConfig } from '../config.js'
import { createApiService } from '../operations/api-service.js'
import { currentTraceId } from '../operations/trace-context.js'
import { paymentsApi } from '../payments-api.js'
import { usedReceipts } from '../receipts-api.js'
import { startBackgroundWork } from './background-work.js'
import type { PaymentGateway } from './gateway.js'
import { createOutbox } from './outbox.js'
import { createPaymentStore } from './payment-store.js'
import { createPayments } from './payments.js'
import { createReceiptDelivery } from './receipt-delivery.js'
import { createReceiptsApi } from './receipts-api.js'
import { paymentRoutes } from './routes.js'
import { sandboxGateway } from './sandbox-gateway.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** The receipt service, called with the payment service's own token. */
    receipts: TokenClientFor<typeof usedReceipts>
  }
}

/** Parts that tests replace. */
export interface PaymentServiceParts {
  readonly gateway?: PaymentGateway
  /** Milliseconds since the epoch. */
  readonly clock?: () => number
  /** Interval between checks for abandoned payments, in milliseconds. */
  readonly recoveryMs?: number
}

/** How long a purchase waits for its receipt, in milliseconds; a slower receipt is delivered later. */
const receiptWaitMs = 3_000
/** Longer than a charge or a delivery can take. */
const usualLeases = { paymentMs: 30_000, receiptMs: 60_000 }
const usualRecoveryMs = 5_000
/** Interval between checks of the outbox, in milliseconds. The receipt of a new purchase is sent at once. */
const pollMs = 500

/** Builds the payment service, which takes payments and orders a receipt for each. */
export async function buildPaymentService(
  config: PaymentConfig,
  {
    gateway = sandboxGateway(config.gatewayLoss),
    clock = Date.now,
    recoveryMs = usualRecoveryMs,
  }: PaymentServiceParts = {},
): Promise<FastifyInstance> {
  const { leases = usualLeases } = config
  const { app, database, protect } = await createApiService(config, {
    name: 'payment-service',
    title: 'Payment service',
    description: 'Takes payments for orders and gets a receipt for every paid order.',
    api: paymentsApi,
    bodyLimit: 32 * 1024,
    schema: 'payments',
    migrations: new URL('../../src/payment-service/migrations/', import.meta.url),
  })
  await app.register(tokenClient, { name: 'receipts', ...clientOptions(config.receipts, usedReceipts) })

  const store = createPaymentStore(database)
  const payments = createPayments({ store, gateway, clock, leaseMs: leases.paymentMs })
  const receiptsApi = createReceiptsApi(app.receipts)
  const delivery = createReceiptDelivery({
    outbox: createOutbox(database),
    findPayment: id => store.find(id),
    deliver: payment => receiptsApi.deliver(payment),
    log: app.log,
    clock,
    random: Math.random,
    leaseMs: leases.receiptMs,
  })

  app.addHook('onReady', async () => {
    const report = (error: unknown): void =>
      app.log.error({ err: error }, 'background work failed and continues')
    const outboxWork = startBackgroundWork(() => delivery.deliverDue(), pollMs, report)
    const recovery = startBackgroundWork(() => payments.recover(), recoveryMs, report)
    // `onClose` hooks run in reverse order: this one runs first and finishes the background work.
    app.addHook('onClose', async () => {
      await Promise.all([outboxWork.stop(), recovery.stop()])
      await delivery.close()
    })
  })

  await protect(async api => {
    await api.register(paymentRoutes, {
      payments,
      receiptsApi,
      async deliverReceipt(paymentId) {
        const delivered = delivery.deliverNow(paymentId).catch((error: unknown) => {
          app.log.error({ err: error, paymentId, traceId: currentTraceId() }, 'receipt not delivered yet')
        })
        await atMost(receiptWaitMs, delivered)
      },
    })
  })
  return app
}

/** Resolves when the work is done or the time is up. The work continues in the background. */
async function atMost(ms: number, work: Promise<void>): Promise<void> {
  const timer = new AbortController()
  await Promise.race([work, delay(ms, undefined, { signal: timer.signal }).catch(() => {})])
  timer.abort()
}
