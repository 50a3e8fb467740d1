import { defineApi } from 'fastify-api-contract'
import { Type, type Static } from 'typebox'
import {
  buyer,
  closed,
  currency,
  money,
  paymentId,
  paymentParams,
  problem,
  vatLine,
  vatRate,
} from './schemas.js'

// The contract of the payment service, imported by the service and by its clients.

/** Payment methods. All are test methods; this service never receives card numbers. */
export const paymentMethods = ['test_visa', 'test_declined', 'test_insufficient_funds'] as const
export type PaymentMethod = (typeof paymentMethods)[number]

/** A client sends the books, but no prices. */
const paymentRequest = Type.Object(
  {
    order: Type.Object(
      {
        items: Type.Array(
          Type.Object(
            {
              sku: Type.String({ minLength: 1, maxLength: 40 }),
              quantity: Type.Integer({ minimum: 1, maximum: 99 }),
            },
            closed,
          ),
          { minItems: 1, maxItems: 50 },
        ),
        currency,
        locale: Type.String({
          pattern: '^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,4}$',
          maxLength: 35,
          description: 'The language of the receipt (BCP 47)',
        }),
      },
      closed,
    ),
    buyer,
    paymentMethod: Type.Enum([...paymentMethods]),
  },
  closed,
)

/** A payment as its client sees it. */
const paymentAnswer = Type.Object({
  paymentId,
  status: Type.Enum(['processing', 'paid', 'declined']),
  currency,
  total: money,
  lines: Type.Array(
    Type.Object({
      sku: Type.String(),
      title: Type.String(),
      author: Type.String(),
      quantity: Type.Integer(),
      unitPrice: money,
      vatRate,
      total: money,
    }),
  ),
  vat: Type.Array(vatLine),
  createdAt: Type.String({ format: 'date-time' }),
  declineReason: Type.Optional(Type.String()),
  receipt: Type.Optional(
    Type.Object({
      status: Type.Enum(['pending', 'delivered', 'poisoned']),
      number: Type.Optional(Type.String()),
    }),
  ),
})

/** A declined payment as problem details (RFC 9457). */
const declinedAnswer = Type.Object({ ...problem.properties, paymentId, declineReason: Type.String() })

export type PaymentRequest = Static<typeof paymentRequest>
export type PaymentAnswer = Static<typeof paymentAnswer>

export const paymentsApi = defineApi({
  audience: 'https://payments.bookstore.example',
  scopes: { 'payments:read': 'Look at payments and their receipts', 'payments:write': 'Pay' },
  operations: {
    /** Needs an Idempotency-Key. */
    pay: {
      method: 'POST',
      path: '/payments',
      scopes: ['payments:write'],
      summary: 'Pay an order',
      body: paymentRequest,
      responses: { 201: paymentAnswer, 402: declinedAnswer, 400: problem, 409: problem, 422: problem },
    },
    findByKey: {
      method: 'GET',
      path: '/payments',
      scopes: ['payments:read'],
      summary: 'Find a payment by its Idempotency-Key',
      query: Type.Object({ idempotencyKey: Type.String({ minLength: 1, maxLength: 255 }) }),
      responses: { 200: paymentAnswer, 400: problem, 404: problem },
    },
    find: {
      method: 'GET',
      path: '/payments/:paymentId',
      scopes: ['payments:read'],
      summary: 'Look at a payment',
      params: paymentParams,
      responses: { 200: paymentAnswer, 400: problem, 404: problem },
    },
  },
})

/** The operations that the storefront uses. The scope of `find` also allows reading receipts. */
export const usedPayments = paymentsApi.pick('pay', 'findByKey', 'find')
