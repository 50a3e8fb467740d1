import { setTimeout as wait } from 'node:timers/promises'
import { UnexpectedAnswerError } from 'fastify-api-contract'
import type { TokenClient } from 'fastify-token-client'
import { usedPayments, type PaymentAnswer, type PaymentMethod, type PaymentRequest } from '../payments-api.js'

/** How a buyer pays here: test methods of the sandbox gateway, never a card number. */
export const paymentMethods = {
  test_visa: { label: 'Test card that pays', digits: '•••• 4242', hint: 'The payment goes through.' },
  test_declined: { label: 'Test card that is declined', digits: '•••• 0002', hint: 'The bank says no.' },
  test_insufficient_funds: {
    label: 'Test card without funds',
    digits: '•••• 9995',
    hint: 'The account is empty.',
  },
} as const satisfies Record<PaymentMethod, object>

export type Payment = PaymentAnswer

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

  constructor(statusCode: number, { detail, paymentId }: { detail?: string; paymentId?: string } = {}) {
    super(detail ?? `the payment service answers ${statusCode}`)
    this.statusCode = statusCode
    this.paymentId = paymentId
  }
}

/** The payment service as the storefront uses it. */
export interface PaymentsApi {
  /** @throws {PaymentRefused} with 402 when the payment is declined */
  pay(
    order: PaymentRequest['order'],
    buyer: PaymentRequest['buyer'],
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
const timeoutMs = 10_000

const patience = () => ({ signal: AbortSignal.timeout(timeoutMs) })

export function createPaymentsApi(payments: TokenClient): PaymentsApi {
  const { call } = usedPayments.over(payments)

  async function look(answer: ReturnType<typeof call<'find' | 'findByKey'>>): Promise<Payment | undefined> {
    const { status, body } = await answer.catch(refuse)
    return status === 200 ? body : undefined
  }

  return {
    async pay(order, buyer, paymentMethod, idempotencyKey) {
      const send = async () =>
        call('pay', {
          body: { order, buyer, paymentMethod },
          headers: { 'idempotency-key': idempotencyKey },
          ...patience(),
        })
      for (let attempt = 1; ; attempt += 1) {
        // Another process may be there, and the key makes it one payment.
        const { status, body } = await send()
          .catch(async (error: unknown) => (hasEnded(error) ? send() : Promise.reject(error)))
          .catch(refuse)
        if (status === 201) return body
        if (status !== 409 || attempt === inUse.attempts) throw new PaymentRefused(status, body)
        await wait(inUse.pauseMs)
      }
    },
    find: async paymentId => look(call('find', { params: { paymentId }, ...patience() })),
    findByKey: async idempotencyKey => look(call('findByKey', { query: { idempotencyKey }, ...patience() })),
    async receipt(paymentId, mediaType) {
      const { statusCode, headers, body } = await payments.request({
        path: `/payments/${encodeURIComponent(paymentId)}/receipt`,
        headers: { accept: mediaType },
        ...patience(),
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

/** A process that ends answers 503, or not at all. */
function hasEnded(error: unknown): boolean {
  return error instanceof UnexpectedAnswerError
    ? error.status === 503
    : cutOff.has((error as { code?: unknown }).code)
}

function refuse(error: unknown): never {
  throw error instanceof UnexpectedAnswerError ? new PaymentRefused(error.status) : error
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
