// Generated from receipts.openapi.yaml (Receipts API 1.2.0) by fastify-api-contract-tools from-openapi.
// Do not edit: generate it again.
import { defineApi } from 'fastify-api-contract'
import { Type, type Static } from 'typebox'

export const Order = Type.Object(
  {
    title: Type.String({ minLength: 1, maxLength: 100, pattern: '^\\S' }),
    cents: Type.Integer({ exclusiveMinimum: 0, format: 'int64' }),
    kind: Type.Enum(['book', 'card']),
    note: Type.Optional(Type.Union(
      [Type.String(), Type.Null()],
      { description: 'It\'s for the buyer' },
    )),
    labels: Type.Optional(Type.Record(Type.String(), Type.String())),
    place: Type.Optional(Type.Tuple([Type.Number(), Type.Number()])),
  },
  { additionalProperties: false },
)
export type Order = Static<typeof Order>

export const Receipt = Type.Intersect([
  Type.Object({ number: Type.String(), order: Order }),
  Type.Union([Type.Object({ paid: Type.Literal(true) }), Type.Object({ reason: Type.String() })]),
])
export type Receipt = Static<typeof Receipt>

export const Tree = Type.Object({
  name: Type.String(),
  children: Type.Optional(Type.Array(Type.Unknown())),
  'first-child': Type.Optional(Type.String()),
})
export type Tree = Static<typeof Tree>

export const problem_v1 = Type.Object({
  title: Type.Optional(Type.String()),
  status: Type.Optional(Type.Integer()),
})
export type problem_v1 = Static<typeof problem_v1>

export const receiptsApi = defineApi({
  audience: 'https://eu.receipts.example.com/v1', // The URL of the first server; --audience sets another one.
  scopes: { 'receipts:read': 'Read receipts', 'receipts:write': 'Make receipts' },
  operations: {
    // listReceipts: alternative: no token.
    // listReceipts: without the query parameter filter, which a contract cannot describe.
    listReceipts: {
      method: 'GET',
      path: '/receipts',
      scopes: [],
      query: Type.Object({
        page: Type.Optional(Type.Integer({ minimum: 1 })),
        tag: Type.Optional(Type.Array(Type.String())),
        fields: Type.Optional(Type.String({ description: 'Several values, separated by commas' })),
        since: Type.String({ format: 'date' }),
      }),
      responses: { 200: Type.Array(Receipt) },
    },
    postReceipts: {
      method: 'POST',
      path: '/receipts',
      scopes: ['receipts:read'],
      responses: { 200: Tree },
    },
    getReceipt: {
      method: 'GET',
      path: '/receipts/:payment_id',
      scopes: ['receipts:read'],
      params: Type.Object({ payment_id: Type.String({ format: 'uuid' }) }),
      responses: { 200: Receipt, 404: problem_v1 },
    },
    // Headers: Idempotency-Key (required), session (cookie)
    putReceipt: {
      method: 'PUT',
      path: '/receipts/:payment_id',
      scopes: ['receipts:write'],
      params: Type.Object({ payment_id: Type.String({ format: 'uuid' }) }),
      body: Order,
      responses: {
        201: Receipt,
        400: problem_v1,
        401: problem_v1,
        403: problem_v1,
        404: problem_v1,
        409: problem_v1,
        422: problem_v1,
        429: problem_v1,
        500: problem_v1,
        503: problem_v1,
      },
      summary: 'Makes a receipt',
    },
    // receipts/delete: alternative: receipts:admin and key.
    // receipts/delete: alternative: key.
    'receipts/delete': {
      method: 'DELETE',
      path: '/receipts/:payment_id',
      scopes: ['receipts:read', 'receipts:write'],
      params: Type.Object({ payment_id: Type.String({ format: 'uuid' }) }),
      responses: {
        204: null,
        400: problem_v1,
        401: problem_v1,
        403: problem_v1,
        404: problem_v1,
        409: problem_v1,
        422: problem_v1,
        429: problem_v1,
      },
    },
    // search is left out: its body is not JSON.
    status: { method: 'GET', path: '/status', scopes: 'public', responses: { 200: Type.String() } },
    // headStatus is left out: contracts do not support HEAD.
    // upload is left out: a contract cannot express its path.
  },
})
