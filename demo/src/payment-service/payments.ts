import { randomUUID } from 'node:crypto'
import createError from '@fastify/error'
import { inTrace } from '../operations/trace-context.js'
import type { PaymentRequest } from '../payments-api.js'
import type { PaymentGateway } from './gateway.js'
import { fingerprint, IdempotencyKeyInUseError, IdempotencyKeyReusedError } from './idempotency-key.js'
import type { Payment } from './payment.js'
import type { Lease, PaymentStore } from './payment-store.js'
import { quote } from './quote.js'

/** 503: the gateway cannot be reached; the same request with the same key continues the payment. */
export const GatewayUnavailableError = createError(
  'PAYMENT_GATEWAY_UNAVAILABLE',
  'The payment gateway cannot be reached now; repeat the request with the same Idempotency-Key.',
  503,
)

/** The client of a request, and its idempotency key. */
export interface Caller {
  readonly clientId: string
  readonly idempotencyKey: string
  /** Trace id of the request. */
  readonly traceId: string
}

export interface Payments {
  /**
   * Makes a payment, once for each key of a client.
   * @returns the settled payment; `replayed` if an earlier request made it
   * @throws {IdempotencyKeyReusedError}
   * @throws {IdempotencyKeyInUseError}
   * @throws {GatewayUnavailableError}
   */
  pay(
    request: PaymentRequest,
    caller: Caller,
  ): Promise<{ readonly payment: Payment; readonly replayed: boolean }>
  /** A client's own payment. */
  find(id: string, clientId: string): Promise<Payment | undefined>
  /** Finds the payment that a client made with this Idempotency-Key. */
  findByKey(idempotencyKey: string, clientId: string): Promise<Payment | undefined>
  /**
   * Settles payments that were abandoned when a process died or the gateway failed, because their buyers may have been
   * charged.
   * @returns the number of payments
   */
  recover(): Promise<number>
}

/** What payments work with. */
export interface PaymentParts {
  readonly store: PaymentStore
  readonly gateway: PaymentGateway
  /** Milliseconds since the epoch. */
  readonly clock: () => number
  /** Longer than a gateway request takes. A payment that is still processing after this time counts as abandoned. */
  readonly leaseMs: number
}

export function createPayments({ store, gateway, clock, leaseMs }: PaymentParts): Payments {
  return {
    async pay({ order, buyer, paymentMethod: method }, { clientId, idempotencyKey, traceId }) {
      const print = fingerprint({ order, buyer, method })
      const known = await store.findByKey(clientId, idempotencyKey)
      if (known === undefined) {
        const id = randomUUID()
        const lease = newLease()
        const payment = {
          id,
          clientId,
          idempotencyKey,
          fingerprint: print,
          quote: quote(order),
          buyer,
          method,
          traceId,
        }
        if (await store.insert(payment, lease)) return { payment: await process(id, lease), replayed: false }
      }
      const first = known ?? (await store.findByKey(clientId, idempotencyKey))
      if (first === undefined) throw new IdempotencyKeyInUseError()
      if (first.fingerprint !== print) throw new IdempotencyKeyReusedError(first.id)
      if (first.status !== 'processing') return { payment: first, replayed: true }
      const lease = newLease()
      if (!(await store.lease(first.id, lease))) throw new IdempotencyKeyInUseError()
      return { payment: await process(first.id, lease), replayed: false }
    },
    async find(id, clientId) {
      const payment = await store.find(id)
      return payment?.clientId === clientId ? payment : undefined
    },
    findByKey: (idempotencyKey, clientId) => store.findByKey(clientId, idempotencyKey),
    async recover() {
      let settled = 0
      for (const id of await store.findAbandoned(new Date(clock()), 20)) {
        const lease = newLease()
        if (!(await store.lease(id, lease))) continue
        await process(id, lease)
        settled += 1
      }
      return settled
    },
  }

  function newLease(): Lease {
    const now = clock()
    return { leaseId: randomUUID(), now: new Date(now), until: new Date(now + leaseMs) }
  }

  /**
   * Asks the gateway and stores its decision. If the process dies in between, the gateway answers the repeated request
   * with the same decision.
   */
  async function process(id: string, { leaseId }: Lease): Promise<Payment> {
    const { quote: price, method, traceId } = await existing(id)
    const charge = { paymentId: id, amount: price.total, currency: price.currency, method }
    const decision = await inTrace(traceId, () => gateway.charge(charge)).catch(async (error: unknown) => {
      await store.release(id, leaseId, new Date(clock()))
      throw Object.assign(new GatewayUnavailableError(), { cause: error })
    })
    await store.settle(id, decision, new Date(clock()))
    return existing(id)
  }

  async function existing(id: string): Promise<Payment> {
    const payment = await store.find(id)
    if (payment === undefined) throw new Error(`payment ${id} has disappeared`)
    return payment
  }
}
