import { defineApi } from 'fastify-api-contract'
import { Type } from 'typebox'

export const Order = Type.Object({ title: Type.String(), cents: Type.Integer({ minimum: 0 }) })
export const Receipt = Type.Object({
  number: Type.String(),
  currency: Type.Union([Type.Literal('EUR'), Type.Literal('USD')]),
})
export const Problem = Type.Object({ title: Type.String(), code: Type.Optional(Type.String()) })
const params = Type.Object({ paymentId: Type.String() })

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
      responses: { 201: Receipt, 409: Problem },
    },
    getReceipt: {
      method: 'GET',
      path: '/receipts/:paymentId',
      scopes: ['receipts:read'],
      params,
      responses: { 200: Receipt },
    },
    listReceipts: {
      method: 'GET',
      path: '/receipts',
      scopes: [],
      query: Type.Object({
        page: Type.Optional(Type.Integer()),
        tag: Type.Optional(Type.Array(Type.String())),
      }),
      responses: { 200: Type.Array(Receipt) },
    },
    deleteReceipt: {
      method: 'DELETE',
      path: '/receipts/:paymentId',
      scopes: ['receipts:read', 'receipts:write'],
      params,
      responses: { 204: null, 404: Problem },
    },
    status: { method: 'GET', path: '/status', scopes: 'public', responses: { 200: Type.String() } },
  },
})
