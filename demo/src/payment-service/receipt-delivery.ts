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
  /** Longer than a delivery can take; a worker that died leaves its rows to others after it. */
  readonly leaseMs: number
}

/** Delivers the receipts in the outbox, each at least once; the receipt service makes it exactly one. */
export interface ReceiptDelivery {
  /** Delivers one receipt now, if it is due and nobody else is at it. */
  deliverNow(paymentId: string): Promise<void>
  /** Delivers what is due; returns how many were tried. */
  deliverDue(): Promise<number>
  /** Waits for the deliveries that run. */
  close(): Promise<void>
}

const firstDelayMs = 500
const longestDelayMs = 30_000
/** A day of trying, at the longest delay. */
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
      log.error({ traceId, paymentId, attempts, reason }, 'receipt given up: it needs a person')
      return outbox.poison(item, reason)
    }
    const delayMs = Math.max(delivery.retryAfterMs ?? 0, backOff(attempts, random()))
    log.warn({ traceId, paymentId, attempts, reason, delayMs }, 'receipt not delivered yet')
    return outbox.postpone(item, reason, new Date(clock() + delayMs))
  }
}

/**
 * How long to wait after an attempt, in milliseconds: twice as long each time up to a limit, less up to a half at random,
 * so that receipts that failed together don't come back together.
 */
export function backOff(attempts: number, random: number): number {
  const delay = Math.min(firstDelayMs * 2 ** Math.min(attempts - 1, 20), longestDelayMs)
  return Math.round(delay * (1 - random / 2))
}
