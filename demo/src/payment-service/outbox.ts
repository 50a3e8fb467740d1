import type { Database } from '../database/database.js'

/** A receipt to deliver, leased to one worker. */
export interface OutboxItem {
  readonly paymentId: string
  readonly leaseId: string
  /** This one included. */
  readonly attempts: number
}

/** How many items to lease, and for how long. */
export interface LeaseRequest {
  readonly leaseId: string
  readonly now: Date
  readonly until: Date
  readonly limit: number
  /** Leases only this item, if it is due. */
  readonly paymentId?: string
}

/** Queue of receipts to deliver. Several workers may use it at the same time. */
export interface Outbox {
  lease(request: LeaseRequest): Promise<OutboxItem[]>
  markDelivered(item: OutboxItem, receiptNumber: string, now: Date): Promise<void>
  /** Releases the lease; the next attempt is at `next` or later. */
  postpone(item: OutboxItem, reason: string, next: Date): Promise<void>
  /** Removes an item permanently; a person must examine it. */
  poison(item: OutboxItem, reason: string): Promise<void>
}

export function createOutbox(database: Database): Outbox {
  return {
    async lease({ leaseId, now, until, limit, paymentId }) {
      // `skip locked`: concurrent workers lease different rows and do not wait for each other.
      const rows = await database.query<{ payment_id: string; attempts: number }>(
        `update payments.outbox set lease_id = $1, leased_until = $2, attempts = attempts + 1
         where payment_id in (
           select payment_id from payments.outbox
           where status = 'pending' and next_attempt_at <= $3 and (leased_until is null or leased_until <= $3)
             and ($5::uuid is null or payment_id = $5)
           order by next_attempt_at limit $4 for update skip locked)
         returning payment_id, attempts`,
        [leaseId, until, now, limit, paymentId ?? null],
      )
      return rows.map(row => ({ paymentId: row.payment_id, attempts: row.attempts, leaseId }))
    },
    async markDelivered({ paymentId }, receiptNumber, now) {
      // Ignores the lease: a delivered receipt stays delivered, even if the lease has expired.
      await database.query(
        `update payments.outbox set status = 'delivered', receipt_number = $2, delivered_at = $3, lease_id = null,
           leased_until = null, last_error = null
         where payment_id = $1 and status <> 'delivered'`,
        [paymentId, receiptNumber, now],
      )
    },
    async postpone({ paymentId, leaseId }, reason, next) {
      await database.query(
        `update payments.outbox set next_attempt_at = $3, last_error = $4, lease_id = null, leased_until = null
         where payment_id = $1 and lease_id = $2 and status = 'pending'`,
        [paymentId, leaseId, next, reason],
      )
    },
    async poison({ paymentId, leaseId }, reason) {
      await database.query(
        `update payments.outbox set status = 'poisoned', last_error = $3, lease_id = null, leased_until = null
         where payment_id = $1 and lease_id = $2 and status = 'pending'`,
        [paymentId, leaseId, reason],
      )
    },
  }
}
