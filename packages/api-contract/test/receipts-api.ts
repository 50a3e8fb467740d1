import { defineApi } from 'fastify-api-contract'
import { Type, type Static } from 'typebox'

const Order = Type.Object({ title: Type.String({ minLength: 1 }), cents: Type.Integer({ minimum: 0 }) })
const Receipt = Type.Object({ number: Type.String({ pattern: '^R-' }), cents: Type.Integer() })
const Problem = Type.Object({ title: Type.String() })
const params = Type.Object({ paymentId: Type.String() })

export type Receipt = Static<typeof Receipt>

/** The contract of the tests. Its type is inferred. */
export const receiptsApi = defineApi({
  audience: 'https://receipts.example.com',
  scopes: { 'receipts:write': 'Make receipts', 'receipts:read': 'Read receipts' },
  operations: {
    putReceipt: {
      method: 'PUT',
      path: '/receipts/:paymentId',
      scopes: ['receipts:write'],
      params,
      body: Order,
      responses: { 201: Receipt, 409: Problem, 503: Problem },
      summary: 'Makes a receipt',
    },
    getReceipt: {
      method: 'GET',
      path: '/receipts/:paymentId',
      scopes: ['receipts:read'],
      params,
      responses: { 200: Receipt, 404: Problem },
    },
    listReceipts: {
      method: 'GET',
      path: '/receipts',
      scopes: [],
      query: Type.Object({
        page: Type.Optional(Type.Integer()),
        tag: Type.Optional(Type.Array(Type.String())),
      }),
      responses: { 200: Type.Object({ page: Type.Integer(), tags: Type.Array(Type.String()) }) },
    },
    deleteReceipt: {
      method: 'DELETE',
      path: '/receipts/:paymentId',
      scopes: ['receipts:read', 'receipts:write'],
      params,
      responses: { 204: null },
    },
    status: {
      method: 'GET',
      path: '/status',
      scopes: 'public',
      responses: { 200: Type.Union([Type.String(), Type.Null()]) },
    },
  },
})
