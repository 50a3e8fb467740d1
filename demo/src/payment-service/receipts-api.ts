import createError from '@fastify/error'
import type { TokenClient } from 'fastify-token-client'
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

/** Answers to a delivery that would be the same next time: the receipt itself is wrong. */
const permanent = new Set([400, 409, 413, 415, 422])
const timeouts = { headersTimeout: 15_000, bodyTimeout: 15_000 }

export function createReceiptsApi(receipts: TokenClient): ReceiptsApi {
  return {
    async deliver(payment) {
      try {
        const { statusCode, headers, body } = await receipts.request({
          method: 'PUT',
          path: `/receipts/${payment.id}`,
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(receiptOf(payment)),
          ...timeouts,
        })
        const text = await body.text()
        if (statusCode === 200 || statusCode === 201)
          return { outcome: 'delivered', number: (JSON.parse(text) as { number: string }).number }
        const reason = `the receipt service answers ${statusCode}${problemCode(text)}`
        if (permanent.has(statusCode)) return { outcome: 'refused', reason }
        return { outcome: 'failed', reason, ...retryAfter(headers['retry-after']) }
      } catch (error) {
        // What the token client tells operators, where there is no token.
        const { code, message, detail } = error as Error & { code?: string; detail?: string }
        return { outcome: 'failed', reason: detail ?? code ?? message }
      }
    },
    async read(paymentId, wanted) {
      try {
        const path = `/receipts/${paymentId}`
        const { statusCode, headers, body } = await receipts.request({ path, headers: wanted, ...timeouts })
        return { statusCode, headers, body: await body.bytes() }
      } catch (error) {
        throw Object.assign(new ReceiptUnavailableError(), { cause: error })
      }
    },
  }
}

function receiptOf({ quote, buyer, method, settledAt }: Payment): Record<string, unknown> {
  return { ...quote, buyer, paidAt: settledAt?.toISOString(), paidWith: methodNames[method] }
}

/** The stable name in problem details (RFC 9457), for the log. */
function problemCode(text: string): string {
  try {
    const { code } = JSON.parse(text) as { code?: unknown }
    return typeof code === 'string' ? ` (${code})` : ''
  } catch {
    return ''
  }
}

function retryAfter(header: string | string[] | undefined): { retryAfterMs?: number } {
  const seconds = Number(header)
  return Number.isFinite(seconds) && seconds > 0 ? { retryAfterMs: seconds * 1000 } : {}
}
