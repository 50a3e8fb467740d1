import type { TokenClient } from 'fastify-token-client'

/** How a buyer pays here: test methods of the sandbox gateway, never a card number. */
export const paymentMethods = {
  test_visa: 'Test card that pays',
  test_declined: 'Test card that is declined',
  test_insufficient_funds: 'Test card without funds',
} as const

export type PaymentMethod = keyof typeof paymentMethods

/** What the shop orders; the payment service knows the prices. */
export interface Order {
  readonly items: readonly { readonly sku: string; readonly quantity: number }[]
  readonly currency: string
  readonly locale: string
}

/** What the payment service says of a payment. */
export interface Payment {
  readonly paymentId: string
  readonly status: 'processing' | 'paid' | 'declined'
  readonly total: number
  readonly currency: string
  readonly declineReason?: string
  readonly receipt?: { readonly status: 'pending' | 'delivered' | 'poisoned'; readonly number?: string }
}

/** The payment service refused, in its own words (RFC 9457). */
export class PaymentRefused extends Error {
  readonly statusCode: number

  constructor(statusCode: number, detail: string) {
    super(detail)
    this.statusCode = statusCode
  }
}

/** The payment service as the storefront uses it. */
export interface PaymentsApi {
  pay(
    order: Order,
    buyer: { email: string; name?: string },
    method: PaymentMethod,
    idempotencyKey: string,
  ): Promise<Payment>
  find(paymentId: string): Promise<Payment | undefined>
  /** The receipt in the wanted media type; undefined while it is being made. */
  receipt(paymentId: string, mediaType: string): Promise<{ type: string; bytes: Buffer } | undefined>
}

export function createPaymentsApi(payments: TokenClient): PaymentsApi {
  return {
    async pay(order, buyer, paymentMethod, idempotencyKey) {
      const { statusCode, body } = await payments.request({
        method: 'POST',
        path: '/payments',
        headers: { 'content-type': 'application/json', 'idempotency-key': idempotencyKey },
        body: JSON.stringify({ order, buyer, paymentMethod }),
      })
      const answer = (await body.json()) as Payment & { detail?: string }
      if (statusCode !== 200 && statusCode !== 201)
        throw new PaymentRefused(statusCode, answer.detail ?? `the payment service answers ${statusCode}`)
      return answer
    },
    async find(paymentId) {
      const { statusCode, body } = await payments.request({
        path: `/payments/${encodeURIComponent(paymentId)}`,
      })
      if (statusCode === 200) return (await body.json()) as Payment
      await body.dump()
      if (statusCode === 404 || statusCode === 400) return undefined
      throw new PaymentRefused(statusCode, `the payment service answers ${statusCode}`)
    },
    async receipt(paymentId, mediaType) {
      const { statusCode, headers, body } = await payments.request({
        path: `/payments/${encodeURIComponent(paymentId)}/receipt`,
        headers: { accept: mediaType },
      })
      if (statusCode === 200)
        return { type: String(headers['content-type']), bytes: Buffer.from(await body.arrayBuffer()) }
      await body.dump()
      if (statusCode === 404 || statusCode === 409) return undefined
      throw new PaymentRefused(statusCode, `the payment service answers ${statusCode}`)
    },
  }
}
