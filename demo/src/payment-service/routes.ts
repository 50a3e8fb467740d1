import createError from '@fastify/error'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { answer } from 'fastify-api-contract'
import { paymentsApi } from '../payments-api.js'
import { pickHeaders } from '../pick-headers.js'
import { readIdempotencyKey } from './idempotency-key.js'
import { declined, paymentAnswer } from './payment-answer.js'
import type { Payment } from './payment.js'
import type { Payments } from './payments.js'
import type { ReceiptsApi } from './receipts-api.js'

const PaymentNotFoundError = createError('PAYMENT_NOT_FOUND', 'There is no payment with this id.', 404)
const ReceiptPendingError = createError(
  'RECEIPT_PENDING',
  'The receipt is on its way; ask again shortly.',
  404,
)
const NoReceiptError = createError('RECEIPT_NONE', 'Only a paid payment has a receipt.', 404)

/** Dependencies of the routes. */
export interface PaymentRoutesOptions {
  readonly payments: Payments
  readonly receiptsApi: ReceiptsApi
  /** Starts the delivery of a receipt; resolves when the receipt is issued, or after a limited time. */
  readonly deliverReceipt: (paymentId: string) => Promise<void>
}

/** Routes to make a payment, read it, and get its receipt. */
export const paymentRoutes: FastifyPluginAsyncTypebox<PaymentRoutesOptions> = async (
  app,
  { payments, receiptsApi, deliverReceipt },
) => {
  const pay = paymentsApi.route('pay', async request => {
    const idempotencyKey = readIdempotencyKey(request.headers['idempotency-key'])
    const caller = { clientId: clientOf(request), idempotencyKey, traceId: request.id }
    const { payment, replayed } = await payments.pay(request.body, caller)
    const headers = { ...(replayed && { 'idempotent-replayed': 'true' }) }
    if (payment.status === 'declined')
      return answer(402, declined(payment), { ...headers, 'content-type': 'application/problem+json' })
    await deliverReceipt(payment.id)
    const now = await payments.find(payment.id, caller.clientId)
    return answer(201, paymentAnswer(now ?? payment), { ...headers, location: `/payments/${payment.id}` })
  })
  const headers = Type.Object({ 'idempotency-key': Type.Optional(Type.String()) })
  app.route({ ...pay, schema: { ...pay.schema, headers } })

  app.route(
    paymentsApi.route('findByKey', async request => {
      const payment = await payments.findByKey(request.query.idempotencyKey, clientOf(request))
      if (payment === undefined) throw new PaymentNotFoundError()
      return answer(200, paymentAnswer(payment))
    }),
  )

  const { params, scopes } = paymentsApi.operations.find
  app.route(
    paymentsApi.route('find', async request =>
      answer(200, paymentAnswer(await ownPayment(request, request.params.paymentId))),
    ),
  )

  app.get(
    '/payments/:paymentId/receipt',
    {
      config: { oauth: { scopes } },
      schema: {
        summary: 'Get the receipt',
        description: 'PDF, web page or JSON, selected by the Accept header.',
        params,
      },
    },
    async (request, reply) => {
      const { id, status, receipt } = await ownPayment(request, request.params.paymentId)
      if (status === 'declined') throw new NoReceiptError()
      if (receipt?.status !== 'delivered') {
        reply.header('retry-after', 1)
        throw new ReceiptPendingError()
      }
      const answered = await receiptsApi.read(id, pickHeaders(request.headers, ['accept', 'if-none-match']))
      reply.code(answered.statusCode).headers(pickHeaders(answered.headers, passedOn))
      return reply.send(answered.statusCode === 304 ? undefined : answered.body)
    },
  )

  async function ownPayment(request: Caller, paymentId: string): Promise<Payment> {
    const payment = await payments.find(paymentId.toLowerCase(), clientOf(request))
    if (payment === undefined) throw new PaymentNotFoundError()
    return payment
  }
}

/** Headers of a receipt that are passed on to the caller. */
const passedOn = [
  'content-type',
  'content-disposition',
  'content-security-policy',
  'etag',
  'vary',
  'cache-control',
  'repr-digest',
  'retry-after',
  'x-content-type-options',
]

type Caller = Pick<FastifyRequest, 'auth'>

/** Payments and keys belong to a client. A token without a client claim is identified by its subject. */
function clientOf({ auth }: Caller): string {
  return auth.clientId ?? `${auth.issuer} ${auth.subject}`
}
