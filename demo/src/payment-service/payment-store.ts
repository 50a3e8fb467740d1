import type { Database } from '../database/database.js'
import type { PaymentMethod } from '../payments-api.js'
import type { Decision } from './gateway.js'
import type { Payment, ReceiptState } from './payment.js'
import type { Quote } from './quote.js'

/** An exclusive right to process a payment, until it expires. */
export interface Lease {
  readonly leaseId: string
  readonly now: Date
  readonly until: Date
}

export interface NewPayment {
  readonly id: string
  readonly clientId: string
  readonly idempotencyKey: string
  readonly fingerprint: string
  readonly quote: Quote
  readonly buyer: Payment['buyer']
  readonly method: PaymentMethod
  readonly traceId: string
}

/** Payments in the database. Each method is one transaction. */
export interface PaymentStore {
  /** Inserts a payment with a lease; resolves to false if the client has used the key before. */
  insert(payment: NewPayment, lease: Lease): Promise<boolean>
  findByKey(clientId: string, idempotencyKey: string): Promise<Payment | undefined>
  find(id: string): Promise<Payment | undefined>
  /** Takes over an abandoned payment; resolves to false if it is leased or settled. */
  lease(id: string, lease: Lease): Promise<boolean>
  /** Returns the ids of payments that were abandoned during processing. */
  findAbandoned(now: Date, limit: number): Promise<string[]>
  release(id: string, leaseId: string, now: Date): Promise<void>
  /** Stores the gateway's decision and, if it approved, the outbox row, in one transaction. */
  settle(id: string, decision: Decision, now: Date): Promise<void>
}

interface Row {
  id: string
  client_id: string
  fingerprint: string
  status: Payment['status']
  quote: Quote
  buyer: Payment['buyer']
  payment_method: PaymentMethod
  decline_reason: string | null
  trace_id: string | null
  created_at: Date
  settled_at: Date | null
  receipt_status: ReceiptState['status'] | null
  receipt_number: string | null
}

const select = `
  select p.id, p.client_id, p.fingerprint, p.status, p.quote, p.buyer, p.payment_method, p.decline_reason,
         p.trace_id, p.created_at, p.settled_at, o.status as receipt_status, o.receipt_number
  from payments.payment p left join payments.outbox o on o.payment_id = p.id`

export function createPaymentStore(database: Database): PaymentStore {
  return {
    async insert(payment, { leaseId, now, until }) {
      const inserted = await database.query(
        `insert into payments.payment (id, client_id, idempotency_key, fingerprint, status, quote, buyer,
           payment_method, currency, total, trace_id, lease_id, leased_until, created_at)
         values ($1, $2, $3, $4, 'processing', $5, $6, $7, $8, $9, $10, $11, $12, $13)
         on conflict (client_id, idempotency_key) do nothing returning id`,
        [
          payment.id,
          payment.clientId,
          payment.idempotencyKey,
          payment.fingerprint,
          JSON.stringify(payment.quote),
          JSON.stringify(payment.buyer),
          payment.method,
          payment.quote.currency,
          payment.quote.total,
          payment.traceId,
          leaseId,
          until,
          now,
        ],
      )
      return inserted.length === 1
    },
    async findByKey(clientId, idempotencyKey) {
      const [row] = await database.query<Row>(`${select} where p.client_id = $1 and p.idempotency_key = $2`, [
        clientId,
        idempotencyKey,
      ])
      return row && toPayment(row)
    },
    async find(id) {
      const [row] = await database.query<Row>(`${select} where p.id = $1`, [id])
      return row && toPayment(row)
    },
    async lease(id, { leaseId, now, until }) {
      const leased = await database.query(
        `update payments.payment set lease_id = $2, leased_until = $3
         where id = $1 and status = 'processing' and leased_until <= $4 returning id`,
        [id, leaseId, until, now],
      )
      return leased.length === 1
    },
    async findAbandoned(now, limit) {
      const rows = await database.query<{ id: string }>(
        `select id from payments.payment where status = 'processing' and leased_until <= $1
         order by leased_until limit $2`,
        [now, limit],
      )
      return rows.map(({ id }) => id)
    },
    async release(id, leaseId, now) {
      await database.query(
        `update payments.payment set leased_until = $3 where id = $1 and lease_id = $2 and status = 'processing'`,
        [id, leaseId, now],
      )
    },
    async settle(id, decision, now) {
      await database.transaction(async tx => {
        const settled = await tx.query(
          `update payments.payment set status = $2, authorization_code = $3, decline_reason = $4, settled_at = $5,
             lease_id = null, leased_until = null
           where id = $1 and status = 'processing' returning id`,
          [
            id,
            decision.approved ? 'paid' : 'declined',
            decision.approved ? decision.authorizationCode : null,
            decision.approved ? null : decision.reason,
            now,
          ],
        )
        // Another worker has settled the payment, with the same decision, because the gateway decides a payment once.
        if (settled.length === 0 || !decision.approved) return
        await tx.query('insert into payments.outbox (payment_id, next_attempt_at) values ($1, $2)', [id, now])
      })
    },
  }
}

function toPayment(row: Row): Payment {
  return {
    id: row.id,
    clientId: row.client_id,
    fingerprint: row.fingerprint,
    status: row.status,
    quote: row.quote,
    buyer: row.buyer,
    method: row.payment_method,
    declineReason: row.decline_reason,
    traceId: row.trace_id,
    createdAt: row.created_at,
    settledAt: row.settled_at,
    receipt: row.receipt_status === null ? null : { status: row.receipt_status, number: row.receipt_number },
  }
}
