import { setTimeout as wait } from 'node:timers/promises'
import createError from '@fastify/error'
import { UnexpectedAnswerError, type ReceivedFrom } from 'fastify-api-contract'
import type { TokenClientFor } from 'fastify-token-client'
import { pickHeaders } from '../pick-headers.js'
import type { PaymentAnswer, PaymentMethod, PaymentRequest, usedPayments } from '../payments-api.js'

/** Test methods of the sandbox gateway; the shop never asks for a card number. */
export const paymentMethods = {
  test_visa: { label: 'Test card that pays', digits: '•••• 4242', hint: 'The payment goes through.' },
  test_declined: { label: 'Test card that is declined', digits: '•••• 0002', hint: 'The bank says no.' },
  test_insufficient_funds: {
    label: 'Test card without funds',
    digits: '•••• 9995',
    hint: 'The account is empty.',
  },
} as const satisfies Record<PaymentMethod, object>

/** A receipt to be passed on unchanged. */
export interface ReceiptFile {
  readonly headers: Readonly<Record<string, string>>
  readonly bytes: Buffer
  readonly fileName: string | undefined
}

/**
 * The answer of the payment service to a purchase. With 422, `paymentId` names the earlier payment with the same key.
 */
export type PayAnswer = ReceivedFrom<(typeof usedPayments)['operations']['pay']>

/** Calls the payment service with the storefront's token. */
export interface PaymentsApi {
  pay(
    order: PaymentRequest['order'],
    buyer: PaymentRequest['buyer'],
    method: PaymentMethod,
    idempotencyKey: string,
  ): Promise<PayAnswer>
  find(paymentId: string): Promise<PaymentAnswer | undefined>
  /** Finds the payment that was made with this key, if any. */
  findByKey(idempotencyKey: string): Promise<PaymentAnswer | undefined>
  /** Gets the receipt in the wanted media type; undefined while it is being made. */
  receipt(paymentId: string, mediaType: string): Promise<ReceiptFile | undefined>
}

const ReceiptError = createError<[number]>('SHOP_RECEIPT', 'The payment service answers %s.', 502)

/** Number and interval of retries while an earlier request with the same key is being processed. */
const inUse = { attempts: 20, pauseMs: 250 }
/** Errors of connections to a process that was killed. */
const cutOff = new Set<unknown>(['UND_ERR_SOCKET', 'ECONNRESET', 'ECONNREFUSED', 'EPIPE'])
/** Maximum time for a page, in milliseconds. */
const timeoutMs = 10_000

const patience = () => ({ signal: AbortSignal.timeout(timeoutMs) })

export function createPaymentsApi(payments: TokenClientFor<typeof usedPayments>): PaymentsApi {
  const { call } = payments

  return {
    async pay(order, buyer, paymentMethod, idempotencyKey) {
      const send = async () =>
        call('pay', {
          body: { order, buyer, paymentMethod },
          headers: { 'idempotency-key': idempotencyKey },
          ...patience(),
        })
      for (let attempt = 1; ; attempt += 1) {
        // A retry may reach another process; the idempotency key prevents a second payment.
        const answer = await send().catch(async (error: unknown) =>
          hasEnded(error) ? send() : Promise.reject(error),
        )
        if (answer.status !== 409 || attempt === inUse.attempts) return answer
        await wait(inUse.pauseMs)
      }
    },
    async find(paymentId) {
      const { status, body } = await call('find', { params: { paymentId }, ...patience() })
      return status === 200 ? body : undefined
    },
    async findByKey(idempotencyKey) {
      const { status, body } = await call('findByKey', { query: { idempotencyKey }, ...patience() })
      return status === 200 ? body : undefined
    },
    async receipt(paymentId, mediaType) {
      const { statusCode, headers, body } = await payments.request({
        path: `/payments/${encodeURIComponent(paymentId)}/receipt`,
        headers: { accept: mediaType },
        ...patience(),
      })
      if (statusCode === 200)
        return {
          headers: pickHeaders(headers, ['content-type', 'content-security-policy']),
          bytes: Buffer.from(await body.arrayBuffer()),
          fileName: /filename="([\w.-]+)"/.exec(String(headers['content-disposition']))?.[1],
        }
      await body.dump()
      if (statusCode === 404 || statusCode === 409) return undefined
      throw new ReceiptError(statusCode)
    },
  }
}

/** A process that is closing answers 503 or not at all. */
function hasEnded(error: unknown): boolean {
  return error instanceof UnexpectedAnswerError
    ? error.status === 503
    : cutOff.has((error as { code?: unknown }).code)
}
