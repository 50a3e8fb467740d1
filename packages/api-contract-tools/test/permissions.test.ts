import fastify from 'fastify'
import { answer, defineApi } from 'fastify-api-contract'
import { permissions } from 'fastify-api-contract-tools'
import resourceServer from 'fastify-resource-server'
import { createTokenClient } from 'fastify-token-client'
import { createTestIssuer } from 'oauth-test-issuer'
import t from 'tap'
import { Type } from 'typebox'

const params = Type.Object({ id: Type.String() })
const responses = { 200: Type.String() }
const receiptsApi = defineApi({
  audience: 'https://receipts.example.com',
  scopes: { 'receipts:write': 'Make receipts', 'receipts:read': 'Read receipts' },
  operations: {
    putReceipt: { method: 'PUT', path: '/receipts/:id', scopes: ['receipts:write'], params, responses },
    getReceipt: { method: 'GET', path: '/receipts/:id', scopes: ['receipts:read'], params, responses },
    deleteReceipt: {
      method: 'DELETE',
      path: '/receipts/:id',
      scopes: ['receipts:read', 'receipts:write'],
      params,
      responses,
    },
    listReceipts: { method: 'GET', path: '/receipts', scopes: [], responses },
    status: { method: 'GET', path: '/status', scopes: 'public', responses },
  },
})
const shopApi = defineApi({
  audience: 'https://shop.example.com',
  scopes: { orders: 'Order' },
  operations: { order: { method: 'POST', path: '/orders', scopes: ['orders'], responses } },
})

const table = permissions({
  shop: [receiptsApi.pick('listReceipts', 'status')],
  payment: [
    shopApi.pick('order'),
    receiptsApi.pick('putReceipt', 'deleteReceipt'),
    receiptsApi.pick('getReceipt', 'putReceipt'),
  ],
})

t.test('lists who may call what with which scopes, always in the same order', async t => {
  t.equal(
    String(table),
    `client   audience                      operation      method  path           scopes
payment  https://receipts.example.com  deleteReceipt  DELETE  /receipts/:id  receipts:read receipts:write
payment  https://receipts.example.com  getReceipt     GET     /receipts/:id  receipts:read
payment  https://receipts.example.com  putReceipt     PUT     /receipts/:id  receipts:write
payment  https://shop.example.com      order          POST    /orders        orders
shop     https://receipts.example.com  listReceipts   GET     /receipts      any token
shop     https://receipts.example.com  status         GET     /status        public`,
  )
  const again = permissions({
    payment: [receiptsApi.pick('getReceipt', 'deleteReceipt', 'putReceipt'), shopApi.pick('order')],
    shop: [receiptsApi.pick('status', 'listReceipts')],
  })
  t.equal(String(again), String(table))
  t.equal(JSON.stringify(again), JSON.stringify(table))
})

t.test('lists grants and clients in JSON, for the configuration of an issuer', async t => {
  const json = JSON.parse(JSON.stringify(table)) as typeof table
  t.strictSame(json.permissions[2], {
    client: 'payment',
    audience: 'https://receipts.example.com',
    operation: 'putReceipt',
    method: 'PUT',
    path: '/receipts/:id',
    scopes: ['receipts:write'],
  })
  t.strictSame(json.grants, [
    {
      client: 'payment',
      audience: 'https://receipts.example.com',
      scopes: ['receipts:read', 'receipts:write'],
    },
    { client: 'payment', audience: 'https://shop.example.com', scopes: ['orders'] },
    { client: 'shop', audience: 'https://receipts.example.com', scopes: [] },
  ])
  t.strictSame(json.clients, [
    {
      clientId: 'payment',
      audience: ['https://receipts.example.com', 'https://shop.example.com'],
      scopes: ['orders', 'receipts:read', 'receipts:write'],
    },
    { clientId: 'shop', audience: ['https://receipts.example.com'], scopes: [] },
  ])
  t.strictSame(JSON.parse(JSON.stringify(permissions({}))), { permissions: [], grants: [], clients: [] })
  t.equal(String(permissions({})), 'client  audience  operation  method  path  scopes')
})

t.test('keeps clients and audiences apart when their joined names are equal', async t => {
  const use = receiptsApi.pick('getReceipt')
  const { grants } = permissions({
    a: [{ ...use, audience: 'b c' }],
    'a b': [{ ...use, audience: 'c' }],
    'a\nb': [{ ...use, audience: '","' }],
  })
  t.strictSame(
    grants.map(({ client, audience }) => `${client}|${audience}`).sort(),
    ['a b|c', 'a\nb|","', 'a|b c'].sort(),
  )
})

const handler = () => answer(200, 'well')

t.test('configures the test issuer from the table', async t => {
  const clientSecret = 'of every client here'
  const issuer = await createTestIssuer()
  for (const client of table.clients) issuer.registerClient({ ...client, clientSecret })
  const app = fastify()
  t.teardown(async () => {
    await app.close()
    await issuer.close()
  })
  await app.register(resourceServer, { issuer: issuer.url, api: receiptsApi })
  app.route(receiptsApi.route('putReceipt', handler))
  app.route(receiptsApi.route('getReceipt', handler))
  app.route(receiptsApi.route('deleteReceipt', handler))
  app.route(receiptsApi.route('listReceipts', handler))
  app.route(receiptsApi.route('status', handler))
  const connection = {
    baseUrl: await app.listen({ host: '127.0.0.1', port: 0 }),
    issuer: issuer.url,
    clientSecret,
  }
  const payment = createTokenClient({
    ...connection,
    clientId: 'payment',
    api: receiptsApi.pick('putReceipt', 'deleteReceipt'),
  })
  const shop = createTokenClient({ ...connection, clientId: 'shop', api: receiptsApi.pick('listReceipts') })
  const greedy = createTokenClient({ ...connection, clientId: 'shop', api: receiptsApi.pick('getReceipt') })
  t.teardown(async () => Promise.all([payment, shop, greedy].map(async client => client.close())))
  t.equal((await payment.call('deleteReceipt', { params: { id: '1' } })).status, 200)
  t.equal((await shop.call('listReceipts')).status, 200)
  await t.rejects(greedy.call('getReceipt', { params: { id: '1' } }), {
    code: 'TOKEN_CLIENT_REJECTED',
    detail: /invalid_scope/,
  })
})

const operation = { method: 'GET', path: '/a', scopes: [] }

for (const [clients, message] of [
  [null, /the argument of permissions\(\) is null; expected an object/],
  [[], /the argument of permissions\(\) is \[\]; expected an object/],
  [{ shop: null }, /client shop is null; expected a list such as \[api.pick/],
  [
    { shop: { audience: 'x', operations: { operation } } },
    /client shop is \{ audience: 'x'.*expected a list/,
  ],
  [{ shop: [null] }, /an item in the list for client shop is null; expected an object returned by api.pick/],
  [{ shop: [{ operations: { operation } }] }, /an item in the list for client shop is \{ operations/],
  [{ shop: [{ audience: 'x', operations: { operation: null } }] }, /expected an object returned by api.pick/],
  [
    { shop: [{ audience: 'x', operations: { operation: { ...operation, scopes: 'a' } } }] },
    /expected an object returned by api.pick/,
  ],
] as const)
  t.test(`permissions(${JSON.stringify(clients)}) is refused`, async t => {
    t.throws(() => permissions(clients as never), { name: 'TypeError', message })
  })
