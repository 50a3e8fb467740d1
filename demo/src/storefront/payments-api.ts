import { setTimeout as wait } from 'node:timers/promises'
import type { CallOptions, TokenClient } from 'fastify-token-client'

/** How a buyer pays here: test methods of the sandbox gateway, never a card number. */
export const paymentMethods = {
  test_visa: { label: 'Test card that pays', digits: '•••• 4242', hint: 'The payment goes through.' },
  test_declined: { label: 'Test card that is declined', digits: '•••• 0002', hint: 'The bank says no.' },
  test_insufficient_funds: {
    label: 'Test card without funds',
    digits: '•••• 9995',
    hint: 'The account is empty.',
  },
} as const

export type PaymentMethod = keyof typeof paymentMethods

/** What the shop orders; the payment service knows the prices. */
export interface Order {
  readonly items: readonly { readonly sku: string; readonly quantity: number }[]
  readonly currency: string
  readonly locale: string
}

/** What the payment service says of a payment. Money in minor units. */
export interface Payment {
  readonly paymentId: string
  readonly status: 'processing' | 'paid' | 'declined'
  readonly total: number
  readonly currency: string
  readonly lines: readonly {
    readonly sku: string
    readonly title: string
    readonly author: string
    readonly quantity: number
    readonly total: number
  }[]
  readonly vat: readonly { readonly rate: number; readonly vat: number }[]
  readonly createdAt: string
  readonly declineReason?: string
  readonly receipt?: { readonly status: 'pending' | 'delivered' | 'poisoned'; readonly number?: string }
}

/** A receipt as it came, to be passed on. */
export interface ReceiptFile {
  readonly headers: Readonly<Record<string, string>>
  readonly bytes: Buffer
  readonly fileName: string | undefined
}

/** The payment service refused, in its own words (RFC 9457). */
export class PaymentRefused extends Error {
  readonly statusCode: number
  /** The payment that it is about: the declined one, or with 422 the one that was made with the same key. */
  readonly paymentId: string | undefined

  constructor(statusCode: number, { detail, paymentId }: Refusal = {}) {
    super(detail ?? `the payment service answers ${statusCode}`)
    this.statusCode = statusCode
    this.paymentId = paymentId
  }
}

interface Refusal {
  readonly detail?: string
  readonly paymentId?: string
}

/** The payment service as the storefront uses it. */
export interface PaymentsApi {
  /** @throws {PaymentRefused} with 402 when the payment is declined */
  pay(
    order: Order,
    buyer: { email: string; name?: string },
    method: PaymentMethod,
    idempotencyKey: string,
  ): Promise<Payment>
  find(paymentId: string): Promise<Payment | undefined>
  /** The payment that was made with this key, if any. */
  findByKey(idempotencyKey: string): Promise<Payment | undefined>
  /** The receipt in the wanted media type; undefined while it is being made. */
  receipt(paymentId: string, mediaType: string): Promise<ReceiptFile | undefined>
}

/** Somebody pressed twice: the first request is still being worked on. How often to ask for its answer, and how far apart. */
const inUse = { attempts: 20, pauseMs: 250 }
/** What a process of the payment service leaves its callers with when it is killed, or was already. */
const cutOff = new Set<unknown>(['UND_ERR_SOCKET', 'ECONNRESET', 'ECONNREFUSED', 'EPIPE'])
/** Nobody waits for a page longer than this, in milliseconds. */
const timeouts = { headersTimeout: 10_000, bodyTimeout: 10_000 }

export function createPaymentsApi(payments: TokenClient): PaymentsApi {
  /** Sent once more when a process ends (503, or no answer at all): another one may be there, and the key makes it one payment. */
  async function sendTwice(request: CallOptions): ReturnType<TokenClient['request']> {
    const answer = await payments.request(request).catch((error: unknown) => {
      if (!cutOff.has((error as { code?: unknown }).code)) throw error
    })
    if (answer !== undefined && answer.statusCode !== 503) return answer
    await answer?.body.dump()
    return payments.request(request)
  }

  async function look(path: string): Promise<Payment | undefined> {
    const { statusCode, body } = await payments.request({ path, ...timeouts })
    if (statusCode === 200) return (await body.json()) as Payment
    await body.dump()
    if (statusCode === 404 || statusCode === 400) return undefined
    throw new PaymentRefused(statusCode)
  }

  return {
    async pay(order, buyer, paymentMethod, idempotencyKey) {
      for (let attempt = 1; ; attempt += 1) {
        const { statusCode, body } = await sendTwice({
          method: 'POST',
          path: '/payments',
          headers: { 'content-type': 'application/json', 'idempotency-key': idempotencyKey },
          body: JSON.stringify({ order, buyer, paymentMethod }),
          ...timeouts,
        })
        const answer = (await body.json()) as Payment & Refusal
        if (statusCode === 200 || statusCode === 201) return answer
        if (statusCode !== 409 || attempt === inUse.attempts) throw new PaymentRefused(statusCode, answer)
        await wait(inUse.pauseMs)
      }
    },
    find: paymentId => look(`/payments/${encodeURIComponent(paymentId)}`),
    findByKey: key => look(`/payments?idempotencyKey=${encodeURIComponent(key)}`),
    async receipt(paymentId, mediaType) {
      const { statusCode, headers, body } = await payments.request({
        path: `/payments/${encodeURIComponent(paymentId)}/receipt`,
        headers: { accept: mediaType },
        ...timeouts,
      })
      if (statusCode === 200)
        return {
          headers: pick(headers, ['content-type', 'content-security-policy']),
          bytes: Buffer.from(await body.arrayBuffer()),
          fileName: /filename="([\w.-]+)"/.exec(String(headers['content-disposition']))?.[1],
        }
      await body.dump()
      if (statusCode === 404 || statusCode === 409) return undefined
      throw new PaymentRefused(statusCode)
    },
  }
}

function pick(
  headers: Readonly<Record<string, string | string[] | undefined>>,
  names: readonly string[],
): Record<string, string> {
  const picked: Record<string, string> = {}
  for (const name of names) {
    const value = headers[name]
    if (typeof value === 'string') picked[name] = value
  }
  return picked
}
