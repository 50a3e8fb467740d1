import { defineApi } from 'fastify-api-contract'
import { Type, type Static } from 'typebox'
import { problem } from './problem.js'

// What the receipt service offers: the service and its clients import this file.

/**
 * One line of text a person typed: no control characters, no invisible direction marks, bounded. The two joiners stay:
 * Persian, Sinhala and others need them, and so do emoji.
 */
const text = (maxLength: number) =>
  Type.String({ minLength: 1, maxLength, pattern: '^([^\\p{C}\\p{Zl}\\p{Zp}]|[\\u200C\\u200D])+$' })

/** Money: integer minor units of the receipt's currency (cents; yen). */
const money = Type.Integer({ minimum: 0, maximum: 1_000_000_000 })
/** A VAT rate in hundredths of a percent: 700 is 7 %. */
const vatRate = Type.Integer({ minimum: 0, maximum: 10_000 })

const closed = { additionalProperties: false } as const

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

/** The VAT of all lines with one rate: net + vat = gross. */
const vatLine = Type.Object({ rate: vatRate, net: money, vat: money, gross: money }, closed)

/**
 * What a payment tells the receipt service: data, never layout.
 * The limits are what a render can bear; a page has room for everything they allow.
 */
const receiptRequest = Type.Object(
  {
    paidAt: Type.String({ format: 'date-time', maxLength: 35 }),
    locale: Type.String({ pattern: '^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8}){0,4}$', maxLength: 35 }),
    currency: Type.String({ pattern: '^[A-Z]{3}$' }),
    buyer: Type.Object(
      { email: Type.String({ format: 'email', maxLength: 254 }), name: Type.Optional(text(120)) },
      closed,
    ),
    paidWith: text(60),
    lines: Type.Array(receiptLine, { minItems: 1, maxItems: 100 }),
    vat: Type.Array(vatLine, { minItems: 1, maxItems: 20 }),
    total: money,
  },
  closed,
)
export type ReceiptRequest = Static<typeof receiptRequest>

const paymentId = Type.String({ format: 'uuid' })
const params = Type.Object({ paymentId })
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
      params,
      body: receiptRequest,
      // 201 the first time; 200 and the same receipt for the same content again; 409 for other content.
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
    /** Its route also has the receipt as PDF and as page, which are no part of the contract. */
    readReceipt: {
      method: 'GET',
      path: '/receipts/:paymentId',
      scopes: ['receipts:read'],
      params,
      responses: {
        200: Type.Object({ ...receiptRequest.properties, paymentId, number: Type.String() }),
        404: problem,
      },
    },
  },
})

/** What the payment service uses. */
export const usedReceipts = receiptsApi.pick('issueReceipt', 'readReceipt')
