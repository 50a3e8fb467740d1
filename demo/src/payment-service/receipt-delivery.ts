import { randomUUID } from 'node:crypto'
import { inTrace } from '../operations/trace-context.js'
import type { Outbox, OutboxItem } from './outbox.js'
import type { Payment } from './payment.js'
import type { Delivery } from './receipts-api.js'

/** What delivery works with. */
export interface DeliveryParts {
  readonly outbox: Outbox
  readonly findPayment: (id: string) => Promise<Payment | undefined>
  readonly deliver: (payment: Payment) => Promise<Delivery>
  readonly log: {
    warn(details: object, message: string): void
    error(details: object, message: string): void
  }
  /** Milliseconds since the epoch. */
  readonly clock: () => number
  /** From 0 to 1. */
  readonly random: () => number
  /** Longer than a delivery takes. Other workers take over the rows of a worker that died after this time. */
  readonly leaseMs: number
}

/** Delivers the receipts in the outbox at least once; the receipt service issues each exactly once. */
export interface ReceiptDelivery {
  /** Delivers one receipt now, if it is due and not leased. */
  deliverNow(paymentId: string): Promise<void>
  /** Delivers receipts that are due; resolves to the number of attempts. */
  deliverDue(): Promise<number>
  /** Waits for running deliveries. */
  close(): Promise<void>
}

const firstDelayMs = 500
const longestDelayMs = 30_000
/** About a day of attempts at the longest delay. */
const mostAttempts = 2_880
const atOnce = 8

export function createReceiptDelivery(parts: DeliveryParts): ReceiptDelivery {
  const { outbox, findPayment, deliver, log, clock, random, leaseMs } = parts
  const running = new Set<Promise<void>>()

  return {
    async deliverNow(paymentId) {
      const [item] = await lease({ limit: 1, paymentId })
      if (item !== undefined) await track(attempt(item))
    },
    async deliverDue() {
      const items = await lease({ limit: atOnce })
      await Promise.all(items.map(item => track(attempt(item))))
      return items.length
    },
    async close() {
      await Promise.allSettled(running)
    },
  }

  function lease(which: { limit: number; paymentId?: string }): Promise<OutboxItem[]> {
    const now = clock()
    return outbox.lease({
      ...which,
      leaseId: randomUUID(),
      now: new Date(now),
      until: new Date(now + leaseMs),
    })
  }

  function track(work: Promise<void>): Promise<void> {
    const tracked = work.finally(() => running.delete(tracked))
    running.add(tracked)
    return tracked
  }

  async function attempt(item: OutboxItem): Promise<void> {
    const { paymentId, attempts } = item
    const payment = await findPayment(paymentId)
    if (payment === undefined) throw new Error(`payment ${paymentId} has disappeared`)
    const { traceId } = payment
    const delivery = await inTrace(traceId, () => deliver(payment))
    if (delivery.outcome === 'delivered')
      return outbox.markDelivered(item, delivery.number, new Date(clock()))
    const { outcome, reason } = delivery
    if (outcome === 'refused' || attempts >= mostAttempts) {
      log.error(
        { traceId, paymentId, attempts, reason },
        'receipt delivery abandoned; a person must examine it',
      )
      return outbox.poison(item, reason)
    }
    const delayMs = Math.max(delivery.retryAfterMs ?? 0, backOff(attempts, random()))
    log.warn({ traceId, paymentId, attempts, reason, delayMs }, 'receipt not delivered yet')
    return outbox.postpone(item, reason, new Date(clock() + delayMs))
  }
}

/**
 * Returns the delay after an attempt, in milliseconds. The delay doubles up to a limit; up to half of it is subtracted
 * at random, so that receipts that failed together are not retried together.
 */
export function backOff(attempts: number, random: number): number {
  const delay = Math.min(firstDelayMs * 2 ** Math.min(attempts - 1, 20), longestDelayMs)
  return Math.round(delay * (1 - random / 2))
}
