import createError from '@fastify/error'
import type { TokenClientFor } from 'fastify-token-client'
import type { ReceiptRequest, usedReceipts } from '../receipts-api.js'
import { methodNames } from './gateway.js'
import type { Payment } from './payment.js'

/** What the receipt service says to a delivery. */
export type Delivery =
  | { readonly outcome: 'delivered'; readonly number: string }
  /** Not now: the service or the issuer is down, or full; `retryAfterMs` is its own wish. */
  | { readonly outcome: 'failed'; readonly reason: string; readonly retryAfterMs?: number }
  /** Not ever: the same receipt would be refused again. */
  | { readonly outcome: 'refused'; readonly reason: string }

/** A receipt as it came, to be passed on. */
export interface ReceiptAnswer {
  readonly statusCode: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: Uint8Array
}

/** 503: the receipt service, or the issuer of the token for it, cannot be asked now. */
export const ReceiptUnavailableError = createError(
  'RECEIPT_UNAVAILABLE',
  'The receipt service cannot be reached now; ask again shortly.',
  503,
)

/** The receipt service as the payment service uses it, with its own token. */
export interface ReceiptsApi {
  /** Never rejects: whatever goes wrong is an outcome. */
  deliver(payment: Payment): Promise<Delivery>
  /** @throws {ReceiptUnavailableError} */
  read(paymentId: string, headers: Record<string, string>): Promise<ReceiptAnswer>
}

const timeoutMs = 15_000

/** `detail` is what the token client tells operators if there is no token. */
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
        // It would be the same next time: the receipt itself is wrong.
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
