// The mistakes of users. Each `@ts-expect-error` precedes a line that must not compile.
import { answer, defineApi } from 'fastify-api-contract'
import fastify from 'fastify'
import resourceServer, { defineResourceServer } from 'fastify-resource-server'
import tokenClient, {
  createTokenClient,
  type TokenClientFor,
  type TokenClientOptions,
} from 'fastify-token-client'
import { Type } from 'typebox'
import { Pool } from 'undici'
import { Order, Problem, Receipt, receiptsApi } from './receipts-api.js'

const audience = 'https://receipts.example.com'
const scopes = { 'receipts:read': 'Read receipts' }
const params = Type.Object({ paymentId: Type.String() })
const responses = { 200: Receipt }

// The definition
defineApi({
  audience,
  scopes: { read: 'Read' },
  // @ts-expect-error -- a scope that the contract does not define
  operations: { a: { method: 'GET', path: '/a', scopes: ['raed'], responses } },
})
// @ts-expect-error -- no audience
defineApi({ scopes, operations: {} })
// @ts-expect-error -- a misspelled member of the contract
defineApi({ audience, scopes, operations: {}, audiences: [] })
defineApi({
  audience,
  scopes,
  operations: {
    // @ts-expect-error -- a method that does not exist
    wrongMethod: { method: 'FETCH', path: '/a', scopes: [], responses },
  },
})
defineApi({
  audience,
  scopes,
  operations: {
    // @ts-expect-error -- a path without its slash
    noSlash: { method: 'GET', path: 'a', scopes: [], responses },
  },
})
defineApi({
  audience,
  scopes,
  operations: {
    // @ts-expect-error -- without scopes, although a public operation needs 'public'
    noScopes: { method: 'GET', path: '/a', responses },
  },
})
defineApi({
  audience,
  scopes,
  operations: {
    // @ts-expect-error -- no responses
    noResponses: { method: 'GET', path: '/a', scopes: [] },
  },
})
defineApi({
  audience,
  scopes,
  operations: {
    // @ts-expect-error -- no response
    emptyResponses: { method: 'GET', path: '/a', scopes: [], responses: {} },
  },
})
defineApi({
  audience,
  scopes,
  operations: {
    // @ts-expect-error -- a response without a schema
    noSchema: { method: 'GET', path: '/a', scopes: [], responses: { 200: 'Receipt' } },
  },
})
defineApi({
  audience,
  scopes,
  operations: {
    misspelled: {
      method: 'GET',
      path: '/a',
      scopes: [],
      responses,
      // @ts-expect-error -- a misspelled member
      querry: Type.Object({}),
    },
  },
})
defineApi({
  audience,
  scopes,
  operations: {
    // @ts-expect-error -- a path parameter without a schema
    noParams: { method: 'GET', path: '/a/:id', scopes: [], responses },
  },
})
defineApi({
  audience,
  scopes,
  operations: {
    // @ts-expect-error -- a misspelled path parameter
    otherParams: { method: 'GET', path: '/a/:id', scopes: [], params, responses },
  },
})
defineApi({
  audience,
  scopes,
  operations: {
    moreParams: {
      method: 'GET',
      path: '/a/:id',
      scopes: [],
      // @ts-expect-error -- a parameter that is not in the path
      params: Type.Object({ id: Type.String(), other: Type.String() }),
      responses,
    },
  },
})
defineApi({
  audience,
  scopes,
  operations: {
    // @ts-expect-error -- params without a parameter in the path
    params: { method: 'GET', path: '/a', scopes: [], params, responses },
  },
})
defineApi({
  audience,
  scopes,
  operations: {
    // @ts-expect-error -- a GET with a body
    body: { method: 'GET', path: '/a', scopes: [], body: Order, responses },
  },
})

defineApi({
  audience,
  scopes,
  operations: {
    // @ts-expect-error -- scopes as text
    textScopes: { method: 'GET', path: '/a', scopes: 'receipts:read', responses },
    // @ts-expect-error -- a misspelled 'public'
    notPublic: { method: 'GET', path: '/b', scopes: 'none', responses },
    // @ts-expect-error -- parameters that are not an object
    textParams: { method: 'GET', path: '/c/:id', scopes: [], params: Type.String(), responses },
    // @ts-expect-error -- a query that is not an object
    textQuery: { method: 'GET', path: '/d', scopes: [], query: Type.String(), responses },
    // @ts-expect-error -- a status that is not a number
    textStatus: { method: 'GET', path: '/e', scopes: [], responses: { '2xx': Receipt } },
    // @ts-expect-error -- a summary that is not text
    numberSummary: { method: 'GET', path: '/f', scopes: [], responses, summary: 5 },
  },
})
// @ts-expect-error -- a scope without its description
defineApi({ audience, scopes: { read: undefined }, operations: {} })
// @ts-expect-error -- a list of scopes
defineApi({ audience, scopes: ['read'], operations: {} })

// The server
// @ts-expect-error -- no such operation
receiptsApi.route('putReciept', async () => answer(204))
// @ts-expect-error -- a status that the contract does not list
receiptsApi.route('putReceipt', async () => answer(200, { number: '1', currency: 'EUR' }))
// @ts-expect-error -- the body of another status
receiptsApi.route('putReceipt', async () => answer(409, { number: '1', currency: 'EUR' }))
// @ts-expect-error -- a field is missing
receiptsApi.route('putReceipt', async () => answer(201, { number: '1' }))
// @ts-expect-error -- a value that the schema does not allow
receiptsApi.route('putReceipt', async () => answer(201, { number: '1', currency: 'XXX' }))
// @ts-expect-error -- a missing body
receiptsApi.route('putReceipt', async () => answer(201))
// @ts-expect-error -- a header that is not text
receiptsApi.route('deleteReceipt', async () => answer(204, undefined, { age: 5 }))
// @ts-expect-error -- one of its answers is wrong
receiptsApi.route('deleteReceipt', ({ params }) => (params.paymentId ? answer(204) : answer(404)))
// @ts-expect-error -- a body although the response has none
receiptsApi.route('deleteReceipt', async () => answer(204, { title: 'gone' }))
// @ts-expect-error -- not an answer
receiptsApi.route('putReceipt', async () => ({ number: '1', currency: 'EUR' }))
receiptsApi.route('putReceipt', async request => {
  // @ts-expect-error -- no such parameter
  void request.params.id
  // @ts-expect-error -- no such field
  void request.body.amount
  return answer(409, { title: 'No' })
})
receiptsApi.route('listReceipts', async request => {
  // @ts-expect-error -- no such query parameter
  void request.query.size
  return answer(200, [])
})
receiptsApi.route('status', async request => {
  // @ts-expect-error -- a public operation has no token
  void request.auth.clientId
  return answer(200, 'up')
})

// The client
const notesApi = defineApi({
  audience,
  scopes,
  operations: {
    note: {
      method: 'POST',
      path: '/notes',
      scopes: [],
      body: Type.Object({ text: Type.Optional(Type.String()) }),
      responses,
    },
  },
})
const pool = new Pool('http://localhost')
// @ts-expect-error -- no operation
receiptsApi.pick()
// @ts-expect-error -- no such operation
receiptsApi.pick('putReciept')
// @ts-expect-error -- not a client
receiptsApi.pick('putReceipt').over({})
const { call } = receiptsApi.pick('putReceipt', 'deleteReceipt', 'listReceipts').over(pool)
const paymentId = '1'
const order = { title: 'x', cents: 1 }
// @ts-expect-error -- not one of the chosen operations
await call('getReceipt', { params: { paymentId } })
// @ts-expect-error -- no input
await call('putReceipt')
// @ts-expect-error -- no params
await call('putReceipt', { body: order })
// @ts-expect-error -- no body
await call('putReceipt', { params: { paymentId } })
// @ts-expect-error -- no body, although nothing in it is required
await notesApi.pick('note').over(pool).call('note')
// @ts-expect-error -- a field of the body is missing
await call('putReceipt', { params: { paymentId }, body: { title: 'x' } })
// @ts-expect-error -- a misspelled parameter
await call('putReceipt', { params: { paymentID: '1' }, body: order })
// @ts-expect-error -- a parameter that the path does not have
await call('putReceipt', { params: { paymentId, id: '1' }, body: order })
// @ts-expect-error -- a parameter of the wrong type
await call('putReceipt', { params: { paymentId: 1 }, body: order })
// @ts-expect-error -- a field that the body does not have
await call('putReceipt', { params: { paymentId }, body: { title: 'x', cents: 1, more: 1 } })
// @ts-expect-error -- a misspelled member
await call('putReceipt', { param: { paymentId }, body: order })
// @ts-expect-error -- a member that a call does not have
await call('putReceipt', { params: { paymentId }, body: order, timeoutMs: 5 })
// @ts-expect-error -- a header that is not text
await call('putReceipt', { params: { paymentId }, body: order, headers: { age: 5 } })
// @ts-expect-error -- this operation has no query
await call('putReceipt', { params: { paymentId }, body: order, query: { page: 1 } })
// @ts-expect-error -- this operation has no params
await call('listReceipts', { params: { paymentId } })
// @ts-expect-error -- a query parameter that it does not have
await call('listReceipts', { query: { size: 1 } })
// @ts-expect-error -- this operation has no body
await call('deleteReceipt', { params: { paymentId }, body: order })
// @ts-expect-error -- a query parameter of the wrong type
await call('listReceipts', { query: { page: 'one' } })
const put = await call('putReceipt', { params: { paymentId }, body: order })
// @ts-expect-error -- the type of the body depends on the status
void put.body.number
// @ts-expect-error -- a status that the contract does not list
void (put.status === 200)
if (put.status === 409) {
  // @ts-expect-error -- the body of another status
  void put.body.number
}
void Problem

// The plugins' option `api`
const app = fastify()
const issuer = 'https://login.example.com'
const connection = { baseUrl: 'https://receipts.example.com', issuer, clientId: 'x', clientSecret: 'x' }
const used = receiptsApi.pick('putReceipt')
declare const decorated: TokenClientFor<typeof used>
// @ts-expect-error -- not one of its operations
await decorated.call('getReceipt', { params: { paymentId } })
const client = createTokenClient({ ...connection, api: used })
// @ts-expect-error -- not one of its operations
await client.call('getReceipt', { params: { paymentId } })
// @ts-expect-error -- no body
await client.call('putReceipt', { params: { paymentId } })
// @ts-expect-error -- a whole API
createTokenClient({ ...connection, api: receiptsApi })
// @ts-expect-error -- a misspelled option beside it
createTokenClient({ ...connection, api: used, token: 'per-operation' })
// @ts-expect-error -- a misspelled value
createTokenClient({ ...connection, api: used, tokens: 'per-call' })
// @ts-expect-error -- without an API
await createTokenClient(connection).call('putReceipt', { params: { paymentId }, body: order })
declare const options: TokenClientOptions
// @ts-expect-error -- an API that may be undefined
await createTokenClient(options).call('putReceipt', { params: { paymentId }, body: order })
// @ts-expect-error -- a whole API
await app.register(tokenClient, { name: 'receipts', ...connection, api: receiptsApi })
// @ts-expect-error -- the operations of one client
await app.register(resourceServer, { issuer, api: used })
const receipts = defineResourceServer({ scopes: ['receipts:read'] })
// @ts-expect-error -- the contract already defines the scopes
await app.register(receipts.plugin, { issuer, audience, api: receiptsApi })
