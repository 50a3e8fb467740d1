import fastify, { type FastifyInstance } from 'fastify'
import { answer, defineApi } from 'fastify-api-contract'
import t, { type Test } from 'tap'
import { Type } from 'typebox'
import { receiptsApi } from './receipts-api.js'

const params = Type.Object({ id: Type.String() })
const right = { method: 'GET', path: '/a/:id', scopes: ['read'], params, responses: { 200: Type.String() } }

/** A valid contract with changes to its operation, which TypeScript might reject. */
function define(change: object, more: object = {}): unknown {
  const operations = { a: { ...right, ...change } }
  const define = defineApi as (definition: object) => unknown
  return define({ audience: 'api', scopes: { read: 'Read' }, operations, ...more })
}

/** Returns the error that a definition throws. */
function refusal(message: string | RegExp): { code: string; message: string | RegExp } {
  const pattern = typeof message === 'string' ? `API contract: ${message}` : undefined
  return {
    code: 'API_CONTRACT_INVALID',
    message: pattern ?? new RegExp((message as RegExp).source.replace('^', '^API contract: ')),
  }
}

t.test('rejects an invalid contract at start-up', async t => {
  t.doesNotThrow(() => define({}))
  const wrong: [change: object, message: string | RegExp][] = [
    [{ scopes: ['raed'] }, `a: scope is 'raed'; expected one of the declared scopes: read`],
    [{ scopes: 'read' }, `a: scopes is 'read'; expected a list, or 'public'`],
    [{ scopes: [undefined] }, 'a: scope is undefined; expected one of the declared scopes: read'],
    [{ scopes: undefined }, `a: scopes is undefined; expected a list, or 'public'`],
    [
      { scope: ['read'] },
      `a: a member is 'scope'; expected method, path, scopes, responses, params, query, body, summary`,
    ],
    [{ toString: 5 }, /^a: a member is 'toString'; expected method/],
    [{ method: 'get' }, `a: method is 'get'; expected GET, POST, PUT, PATCH, DELETE`],
    [{ path: 'a/:id' }, `a: path is 'a/:id'; expected a path such as /receipts/:paymentId`],
    [{ path: '/a/:id?' }, `a: path is '/a/:id?'; expected a path such as /receipts/:paymentId`],
    [{ path: '/a/*' }, `a: path is '/a/*'; expected a path such as /receipts/:paymentId`],
    [{ path: '/a/:id(\\d+)' }, /^a: path is .*expected a path/],
    [{ path: '/a/:id-:x' }, /^a: path is .*expected a path/],
    [{ path: '/a/x:id' }, /^a: path is .*expected a path/],
    [{ path: '/a b/:id' }, /^a: path is .*expected a path/],
    [{ path: ['/a/:id'] }, /^a: path is \[ '\/a\/:id' \]; expected a path/],
    [{ path: 5 }, 'a: path is 5; expected a path such as /receipts/:paymentId'],
    [{ path: '/a/:other' }, `a: params is [ 'id' ]; expected the path parameters: other`],
    [{ path: '/a/:id/:id' }, `a: params is [ 'id' ]; expected the path parameters: id, id`],
    [{ path: '/a' }, `a: params is [ 'id' ]; expected the path parameters: `],
    [{ params: undefined }, 'a: params is undefined; expected the schema of an object'],
    [{ params: Type.String() }, `a: params is { type: 'string' }; expected the schema of an object`],
    [{ query: Type.String() }, `a: query is { type: 'string' }; expected the schema of an object`],
    [{ query: undefined }, 'a: query is undefined; expected the schema of an object'],
    [{ body: Type.String() }, `a: body is { type: 'string' }; expected no body for GET`],
    [{ method: 'PUT', body: 'Order' }, `a: body is 'Order'; expected a schema`],
    [{ method: 'PUT', body: null }, 'a: body is null; expected a schema'],
    [{ summary: '' }, `a: summary is ''; expected text`],
    [{ responses: {} }, 'a: responses is {}; expected an object such as { 200: schema }'],
    [{ responses: [] }, 'a: responses is []; expected an object such as { 200: schema }'],
    [
      { responses: { 200: undefined } },
      `a: a response is { '200': undefined }; expected a status code from 200 to 599 with a schema or null`,
    ],
    [{ responses: { '2xx': Type.String() } }, /^a: a response is \{ '2xx': .* from 200 to 599/],
    [{ responses: { 100: null } }, /^a: a response is \{ '100': null \}; expected/],
    [{ responses: { 200: 'Receipt' } }, /^a: a response is \{ '200': 'Receipt' \}; expected/],
    [{ responses: () => right }, /^a: responses is \[Function: responses\]; expected an object/],
  ]
  for (const [change, message] of wrong) t.throws(() => define(change), refusal(message), String(message))
  const cyclic: { self?: unknown } = {}
  cyclic.self = cyclic
  const wrongApi: [change: object, message: string | RegExp][] = [
    [{ operations: new Map() }, /^the contract: operations is Map\(0\) \{\}; expected an object/],
    [{ operations: Promise.resolve({}) }, /^the contract: operations is Promise/],
    [{ audience: undefined }, 'the contract: audience is undefined; expected text'],
    [{ audience: '' }, `the contract: audience is ''; expected text`],
    [{ audience: 5n }, 'the contract: audience is 5n; expected text'],
    [{ audience: cyclic }, /^the contract: audience is <ref \*1> \{ self: /],
    [{ audience: ['api'] }, `the contract: audience is [ 'api' ]; expected text`],
    [{ audiences: 'x' }, `the contract: a member is 'audiences'; expected audience, scopes, operations`],
    [
      { scopes: ['read'] },
      `the contract: scopes is [ 'read' ]; expected an object such as { scope: description }`,
    ],
    [
      { scopes: { 'a b': 'x' } },
      `a scope is { 'a b': 'x' }; expected a name without spaces or quotes, and a description`,
    ],
    [{ scopes: { read: true } }, /^a scope is \{ read: true \}; expected/],
    [{ operations: { a: null } }, 'a is null; expected an object'],
    [{ operations: { a: {} } }, 'a: method is undefined; expected GET, POST, PUT, PATCH, DELETE'],
    [
      { operations: () => right },
      /^the contract: operations is \[Function: operations\]; expected an object/,
    ],
    [
      { operations: { a: right, b: { ...right, path: '/a/:x', params: Type.Object({ x: Type.String() }) } } },
      `b is 'GET /a/:'; expected a method and path that no other operation uses`,
    ],
  ]
  for (const [change, message] of wrongApi)
    t.throws(() => define({}, change), refusal(message), String(message))
  t.throws(() => (defineApi as (definition?: object) => unknown)(), { code: 'API_CONTRACT_INVALID' })
})

t.test('rejects an operation that does not exist', async t => {
  const message = /^API contract: operation is 'toString'; expected putReceipt, getReceipt, /
  t.throws(() => receiptsApi.route('toString' as never, (async () => answer(200)) as never), { message })
  t.throws(() => receiptsApi.pick('toString' as never), { message })
})

t.test('rejects a route without a handler', async t => {
  for (const handler of [undefined, 'handler'])
    t.throws(() => receiptsApi.route('putReceipt', handler as never), {
      message: /^API contract: putReceipt: handler is .*; expected a function$/,
    })
})

t.test('rejects a call over something that is not a client', async t => {
  for (const client of [undefined, null, {}, () => undefined])
    await t.rejects(
      receiptsApi
        .pick('listReceipts')
        .over(client as never)
        .call('listReceipts'),
      {
        code: 'API_CONTRACT_INVALID_CALL',
        message: /^API contract: listReceipts: client is .*; expected an object with request\(\)$/,
      },
    )
})

/** Creates an application that is closed at the end of the test. */
function build(t: Test): FastifyInstance {
  const app = fastify()
  t.teardown(() => app.close())
  return app
}

t.test('does not start if an operation has no route', async t => {
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
  await t.test('names the missing routes', async t => {
    const app = build(t)
    app.register(small.requireRoutes)
    app.route(one)
    await t.rejects(async () => app.ready(), {
      code: 'API_CONTRACT_INVALID',
      message:
        'API contract: the route of two (PUT /two/:id) is undefined; expected app.route(api.route(name, handler))',
    })
  })
  await t.test('finds routes before and after the plugin, in other scopes and written by hand', async t => {
    const app = build(t)
    app.register(async scope => void scope.route(one))
    app.register(small.requireRoutes)
    app.put('/two/:id', async () => null)
    await t.resolves(async () => app.ready())
  })
  await t.test('finds routes with the prefix of the plugin', async t => {
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

t.test('accepts further route options', async t => {
  const app = fastify()
  t.teardown(() => app.close())
  app.decorateRequest('auth', null as never)
  const route = receiptsApi.route('putReceipt', () => answer(409, { title: 'No' }))
  app.route({ ...route, bodyLimit: 5, config: { ...route.config, more: true } })
  const payload = { title: 'Emma', cents: 1 }
  t.equal((await app.inject({ method: 'PUT', url: '/receipts/1', payload })).statusCode, 413)
})

// This file does not load fastify-resource-server, which would reject such routes at the start.
t.test('never calls a handler without a checked token', async t => {
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
    message: 'The response violates the API contract',
  })
  t.equal(handled, 0)
  t.match(logged, [
    { err: { code: 'API_CONTRACT_BROKEN', problem: /^deleteReceipt: request.auth is unset/ } },
  ])
})

t.test('accepts a decorated request behind a gateway that checks tokens', async t => {
  const app = fastify()
  t.teardown(() => app.close())
  app.decorateRequest('auth', null as never)
  app.route(receiptsApi.route('deleteReceipt', async () => answer(204)))
  t.equal((await app.inject({ method: 'DELETE', url: '/receipts/1' })).statusCode, 204)
})
