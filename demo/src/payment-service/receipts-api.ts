import createError from '@fastify/error'
import type { TokenClientFor } from 'fastify-token-client'
import type { ReceiptRequest, usedReceipts } from '../receipts-api.js'
import { methodNames } from './gateway.js'
import type { Payment } from './payment.js'

/** Outcome of a delivery to the receipt service. */
export type Delivery =
  | { readonly outcome: 'delivered'; readonly number: string }
  /**
   * Retry later: the service or the issuer is unavailable or overloaded; `retryAfterMs` is the delay that the service
   * requested.
   */
  | { readonly outcome: 'failed'; readonly reason: string; readonly retryAfterMs?: number }
  /** Do not retry: the receipt would be refused again. */
  | { readonly outcome: 'refused'; readonly reason: string }

/** A receipt to be passed on unchanged. */
export interface ReceiptAnswer {
  readonly statusCode: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: Uint8Array
}

/** 503: the receipt service, or the issuer of its tokens, is unavailable. */
export const ReceiptUnavailableError = createError(
  'RECEIPT_UNAVAILABLE',
  'The receipt service cannot be reached now; ask again shortly.',
  503,
)

/** Calls the receipt service with the payment service's token. */
export interface ReceiptsApi {
  /** Never rejects: every failure is an outcome. */
  deliver(payment: Payment): Promise<Delivery>
  /** @throws {ReceiptUnavailableError} */
  read(paymentId: string, headers: Record<string, string>): Promise<ReceiptAnswer>
}

const timeoutMs = 15_000

/** `detail` is the token client's reason for operators. */
type DeliveryError = Error & { detail?: string; retryAfterMs?: number }

export function createReceiptsApi(receipts: TokenClientFor<typeof usedReceipts>): ReceiptsApi {
  return {
    async deliver(payment) {
      try {
        const { status, body } = await receipts.call('issueReceipt', {
          params: { paymentId: payment.id },
          body: receiptOf(payment),
          signal: AbortSignal.timeout(timeoutMs),
        })
        if (status === 200 || status === 201) return { outcome: 'delivered', number: body.number }
        // A retry would fail again, because the receipt itself is invalid.
        return {
          outcome: 'refused',
          reason: `the receipt service answers ${status} (${body.code ?? body.title})`,
        }
      } catch (error) {
        const { message, detail = message, retryAfterMs } = error as DeliveryError
        return { outcome: 'failed', reason: detail, ...(retryAfterMs && { retryAfterMs }) }
      }
    },
    async read(paymentId, wanted) {
      try {
        const path = `/receipts/${paymentId}`
        const { statusCode, headers, body } = await receipts.request({
          path,
          headers: wanted,
          signal: AbortSignal.timeout(timeoutMs),
        })
        return { statusCode, headers, body: await body.bytes() }
      } catch (error) {
        throw Object.assign(new ReceiptUnavailableError(), { cause: error })
      }
    },
  }
}

function receiptOf({ quote, buyer, method, settledAt }: Payment): ReceiptRequest {
  const { lines, vat, ...price } = quote
  if (settledAt === null) throw new Error('the payment is not settled')
  const paidAt = settledAt.toISOString()
  return { ...price, lines: [...lines], vat: [...vat], buyer, paidAt, paidWith: methodNames[method] }
}
