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
  text,
  vatLine,
  vatRate,
} from './schemas.js'

// The contract of the receipt service, imported by the service and by its clients.

/** One book of a receipt. Prices include VAT. */
const receiptLine = Type.Object(
  {
    sku: Type.String({ pattern: '^[A-Za-z0-9-]{1,40}$' }),
    title: text(200),
    author: Type.Optional(text(120)),
    quantity: Type.Integer({ minimum: 1, maximum: 99 }),
    unitPrice: money,
    vatRate,
    total: money,
  },
  closed,
)

/**
 * The content of a receipt, without any layout. The limits are what the renderer can handle; a page has room for
 * everything they allow.
 */
const receiptRequest = Type.Object(
  {
    paidAt: Type.String({ format: 'date-time', maxLength: 35 }),
    locale: Type.String({ pattern: '^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8}){0,4}$', maxLength: 35 }),
    currency,
    buyer,
    paidWith: text(60),
    lines: Type.Array(receiptLine, { minItems: 1, maxItems: 100 }),
    vat: Type.Array(vatLine, { minItems: 1, maxItems: 20 }),
    total: money,
  },
  closed,
)
export type ReceiptRequest = Static<typeof receiptRequest>

/** A receipt: its content and its number. The PDF, the page and the JSON are pure functions of it. */
export const receiptSchema = Type.Object(
  { number: Type.String(), paymentId, ...receiptRequest.properties },
  closed,
)
export type Receipt = Static<typeof receiptSchema>

const issued = Type.Object({
  paymentId,
  number: Type.String(),
  sha256: Type.String({ description: 'Of the PDF, in hexadecimal' }),
})

export const receiptsApi = defineApi({
  audience: 'https://receipts.bookstore.example',
  scopes: { 'receipts:read': 'Read receipts', 'receipts:write': 'Issue receipts' },
  operations: {
    issueReceipt: {
      method: 'PUT',
      path: '/receipts/:paymentId',
      scopes: ['receipts:write'],
      summary: 'Issue the receipt of a payment, once',
      params: paymentParams,
      body: receiptRequest,
      // 201 for a new receipt; 200 and the existing receipt for the same content; 409 for other content.
      responses: {
        200: issued,
        201: issued,
        400: problem,
        409: problem,
        413: problem,
        415: problem,
        422: problem,
      },
    },
    listReceipts: {
      method: 'GET',
      path: '/receipts',
      scopes: ['receipts:read'],
      summary: 'List the latest receipts',
      responses: {
        200: Type.Object({
          receipts: Type.Array(Type.Object({ number: Type.String(), paymentId })),
        }),
      },
    },
    /** The route also serves the receipt as PDF and as a page, which are not part of the contract. */
    readReceipt: {
      method: 'GET',
      path: '/receipts/:paymentId',
      scopes: ['receipts:read'],
      params: paymentParams,
      responses: { 200: receiptSchema, 404: problem },
    },
  },
})

/** The operations that the payment service uses. */
export const usedReceipts = receiptsApi.pick('issueReceipt', 'readReceipt')
