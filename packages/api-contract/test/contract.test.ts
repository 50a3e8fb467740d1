import fastify, { type FastifyInstance } from 'fastify'
import { answer, defineApi, permissions } from 'fastify-api-contract'
import t, { type Test } from 'tap'
import { Type } from 'typebox'
import { receiptsApi } from './receipts-api.js'

const params = Type.Object({ id: Type.String() })
const right = { method: 'GET', path: '/a/:id', scopes: ['read'], params, responses: { 200: Type.String() } }

/** A contract with an operation that differs from a right one, as JavaScript would define it. */
function define(change: object, more: object = {}): unknown {
  const operations = { a: { ...right, ...change } }
  const define = defineApi as (definition: object) => unknown
  return define({ audience: 'api', scopes: { read: 'Read' }, operations, ...more })
}

t.test('a contract that contradicts itself does not start', async t => {
  t.doesNotThrow(() => define({}))
  const wrong: [change: object, message: string][] = [
    [{ scopes: ['raed'] }, 'a: scope is "raed"; expected one of the catalogue: read'],
    [{ scopes: 'read' }, `a: scopes is "read"; expected a list, or 'public'`],
    [{ scopes: [undefined] }, 'a: scope is undefined; expected one of the catalogue: read'],
    [{ scopes: undefined }, 'a: scopes is undefined; expected a value'],
    [
      { scope: ['read'] },
      'a: a member is "scope"; expected method, path, scopes, responses, params, query, body, summary',
    ],
    [{ path: 'a/:id' }, 'a: path is "a/:id"; expected segments such as /receipts/:paymentId'],
    [{ path: '/a/:id?' }, 'a: path is "/a/:id?"; expected segments such as /receipts/:paymentId'],
    [{ path: '/a/*' }, 'a: path is "/a/*"; expected segments such as /receipts/:paymentId'],
    [{ path: '/a/:id(\\d+)' }, 'a: path is "/a/:id(\\\\d+)"; expected segments such as /receipts/:paymentId'],
    [{ path: '/a/:id-:x' }, 'a: path is "/a/:id-:x"; expected segments such as /receipts/:paymentId'],
    [{ path: '/a/x:id' }, 'a: path is "/a/x:id"; expected segments such as /receipts/:paymentId'],
    [{ path: 5 }, 'a: path is 5; expected segments such as /receipts/:paymentId'],
    [{ path: '/a/:other' }, `a: params is ["id"]; expected the path's parameters: other`],
    [{ path: '/a/:id/:id' }, `a: params is ["id"]; expected the path's parameters: id, id`],
    [{ path: '/a' }, `a: params is ["id"]; expected the path's parameters: `],
    [{ params: undefined }, 'a: params is undefined; expected a value'],
    [{ params: Type.String() }, `a: params is []; expected the path's parameters: id`],
  ]
  for (const [change, message] of wrong)
    t.throws(
      () => define(change),
      { code: 'API_CONTRACT_INVALID', message: `API contract: ${message}` },
      message,
    )
  const wrongApi: [change: object, message: string][] = [
    [{ audience: undefined }, 'the contract: audience is undefined; expected a value'],
    [{ audiences: 'x' }, 'the contract: a member is "audiences"; expected audience, scopes, operations'],
    [{ scopes: ['read'] }, 'a: scope is "read"; expected one of the catalogue: 0'],
    [{ scopes: { 'a b': 'x' } }, 'a scope is "a b"; expected text without spaces and quotes'],
    [{ operations: { a: null } }, 'a: method is undefined; expected a value'],
    [{ operations: { a: {} } }, 'a: method is undefined; expected a value'],
  ]
  for (const [change, message] of wrongApi)
    t.throws(
      () => define({}, change),
      { code: 'API_CONTRACT_INVALID', message: `API contract: ${message}` },
      message,
    )
  t.throws(() => (defineApi as (definition?: object) => unknown)(), { code: 'API_CONTRACT_INVALID' })
})

t.test('an operation that does not exist is refused at the start', async t => {
  const message = /^API contract: operation is "toString"; expected putReceipt, getReceipt, /
  t.throws(() => receiptsApi.route('toString' as never, (async () => answer(200)) as never), { message })
  t.throws(() => receiptsApi.pick('toString' as never), { message })
})

/** An application that ends with the test. */
function build(t: Test): FastifyInstance {
  const app = fastify()
  t.teardown(() => app.close())
  return app
}

t.test('the application does not start while an operation has no route', async t => {
  const small = defineApi({
    audience: 'api',
    scopes: {},
    operations: {
      one: { method: 'GET', path: '/one', scopes: 'public', responses: { 200: Type.String() } },
      two: { method: 'PUT', path: '/two/:id', scopes: 'public', params, responses: { 204: null } },
    },
  })
  const one = small.route('one', () => answer(200, '1'))
  const two = small.route('two', () => answer(204))
  await t.test('names what is missing', async t => {
    const app = build(t)
    app.register(small.requireRoutes)
    app.route(one)
    await t.rejects(async () => app.ready(), {
      code: 'API_CONTRACT_INVALID',
      message:
        'API contract: the route of two (PUT /two/:id) is undefined; expected app.route(api.route(name, handler))',
    })
  })
  await t.test('sees routes before it, after it, in other scopes and written by hand', async t => {
    const app = build(t)
    app.register(async scope => void scope.route(one))
    app.register(small.requireRoutes)
    app.put('/two/:id', async () => null)
    await t.resolves(async () => app.ready())
  })
  await t.test('counts routes below its prefix', async t => {
    const app = build(t)
    app.register(
      async scope => {
        scope.register(small.requireRoutes)
        scope.route(one)
        scope.route(two)
      },
      { prefix: '/v1' },
    )
    await t.resolves(async () => app.ready())
    t.equal((await app.inject('/v1/one')).statusCode, 200)
    const other = build(t)
    other.register(small.requireRoutes, { prefix: '/v2' })
    other.route(one)
    await t.rejects(async () => other.ready(), { message: /one \(GET \/v2\/one\), two/ })
  })
})

t.test('a route has more options where they are added', async t => {
  const app = fastify()
  t.teardown(() => app.close())
  app.decorateRequest('auth', null as never)
  const route = receiptsApi.route('putReceipt', () => answer(409, { title: 'No' }))
  app.route({ ...route, bodyLimit: 5, config: { ...route.config, more: true } })
  const payload = { title: 'Emma', cents: 1 }
  t.equal((await app.inject({ method: 'PUT', url: '/receipts/1', payload })).statusCode, 413)
})

t.test('permissions say who may call what with which scopes', async t => {
  const shopApi = defineApi({
    audience: 'https://shop.example.com',
    scopes: { orders: 'Order' },
    operations: {
      order: { method: 'POST', path: '/orders', scopes: ['orders'], responses: { 201: Type.Null() } },
    },
  })
  const table = permissions({
    shop: [receiptsApi.pick('listReceipts', 'status')],
    payment: [
      shopApi.pick('order'),
      receiptsApi.pick('putReceipt', 'deleteReceipt'),
      receiptsApi.pick('getReceipt'),
    ],
  })
  t.equal(
    String(table),
    `client   audience                      operation      method  path                  scopes
payment  https://receipts.example.com  deleteReceipt  DELETE  /receipts/:paymentId  receipts:read receipts:write
payment  https://receipts.example.com  getReceipt     GET     /receipts/:paymentId  receipts:read
payment  https://receipts.example.com  putReceipt     PUT     /receipts/:paymentId  receipts:write
payment  https://shop.example.com      order          POST    /orders               orders
shop     https://receipts.example.com  listReceipts   GET     /receipts             any token
shop     https://receipts.example.com  status         GET     /status               public`,
  )
  const { permissions: rows, grants } = JSON.parse(JSON.stringify(table)) as typeof table
  t.match(rows[2], {
    client: 'payment',
    audience: 'https://receipts.example.com',
    operation: 'putReceipt',
    method: 'PUT',
    path: '/receipts/:paymentId',
    scopes: ['receipts:write'],
  })
  t.strictSame(grants, [
    {
      client: 'payment',
      audience: 'https://receipts.example.com',
      scopes: ['receipts:read', 'receipts:write'],
    },
    { client: 'payment', audience: 'https://shop.example.com', scopes: ['orders'] },
    { client: 'shop', audience: 'https://receipts.example.com', scopes: [] },
  ])
  t.strictSame(JSON.parse(JSON.stringify(permissions({}))), { permissions: [], grants: [] })
})

// A process that loads fastify-resource-server refuses such routes at the start, so this file does not.
t.test('a request that no resource server has checked reaches no handler', async t => {
  const logged: object[] = []
  const app = fastify({
    logger: { level: 'error', stream: { write: line => void logged.push(JSON.parse(line) as object) } },
  })
  t.teardown(() => app.close())
  let handled = 0
  app.route(
    receiptsApi.route('deleteReceipt', async () => {
      handled++
      return answer(204)
    }),
  )
  const url = '/receipts/1'
  t.match((await app.inject({ method: 'DELETE', url })).json(), {
    statusCode: 500,
    message: 'The server does not do what its API contract says',
  })
  t.equal(handled, 0)
  t.match(logged, [
    { err: { code: 'API_CONTRACT_BROKEN', problem: /^deleteReceipt: request.auth is unset/ } },
  ])
})

t.test('behind a gateway that checks tokens, an application says so', async t => {
  const app = fastify()
  t.teardown(() => app.close())
  app.decorateRequest('auth', null as never)
  app.route(receiptsApi.route('deleteReceipt', async () => answer(204)))
  t.equal((await app.inject({ method: 'DELETE', url: '/receipts/1' })).statusCode, 204)
})
