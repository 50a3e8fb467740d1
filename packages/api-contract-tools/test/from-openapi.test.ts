import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import swagger from '@fastify/swagger'
import fastify from 'fastify'
import { answer, defineApi, type Operations } from 'fastify-api-contract'
import { contractFromOpenApi } from 'fastify-api-contract-tools'
import resourceServer from 'fastify-resource-server'
import { createTokenClient } from 'fastify-token-client'
import { createTestIssuer } from 'oauth-test-issuer'
import t, { type Test } from 'tap'
import { Type } from 'typebox'
import { receiptsApi } from './generated/receipts-api.js'

// The compiler needs more than tap's 30 seconds on a busy machine.
t.setTimeout(300_000)

const root = fileURLToPath(new URL('..', import.meta.url))
const source = 'receipts.openapi.yaml'
const yaml = readFileSync(join(root, 'test', source), 'utf8')

/** Generates the contract of a small valid document with changes. */
function generate(change: object, options: object = {}) {
  const document = {
    openapi: '3.1.0',
    info: { title: 'Things', version: '1' },
    servers: [{ url: 'https://things.example.com' }],
    paths: {},
    ...change,
  }
  return contractFromOpenApi(JSON.stringify(document), { source: 'openapi.json', ...options })
}

/** Generates the code of a valid operation with changes. */
function operation(change: object, more: object = {}, path = '/things'): string {
  const responses = { 204: { description: 'Done' } }
  return generate({ paths: { [path]: { post: { operationId: 'make', responses, ...change } } }, ...more })
    .code
}

/** Generates the code of a schema. */
function schema(schema: unknown, schemas: object = {}): string {
  const requestBody = { content: { 'application/json': { schema } } }
  const code = operation({ requestBody }, { components: { schemas } })
  return (/\n      body: ([^]*?),\n      responses/.exec(code) ?? [])[1] ?? code
}

/** Compiles a module with strict checks and imports it. */
async function load(t: Test, code: string): Promise<Record<string, unknown>> {
  const folder = mkdtempSync(join(root, '.test/generated-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'api.ts'), code)
  const compilerOptions = { composite: false, declaration: true, sourceMap: false }
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({ extends: join(root, '../../tsconfig.base.json'), compilerOptions, files: ['api.ts'] }),
  )
  const { status, stdout } = spawnSync(
    'env',
    ['-u', 'NODE_OPTIONS', join(root, '../../node_modules/.bin/tsc'), '-p', folder],
    { encoding: 'utf8' },
  )
  t.equal(status, 0, stdout)
  return (await import(pathToFileURL(join(folder, 'api.js')).href)) as Record<string, unknown>
}

t.test('generates the same contract from the same document', async t => {
  const committed = readFileSync(join(root, 'test/generated/receipts-api.ts'), 'utf8')
  t.equal(contractFromOpenApi(yaml, { source }).code, committed)
  t.equal(contractFromOpenApi(yaml.replaceAll('\n', '\r\n'), { source }).code, committed)
  t.equal(contractFromOpenApi(`\uFEFF${yaml}`, { source }).code, committed)
})

const member = (name: string, method: string) => ({
  [method]: { operationId: name, responses: { 200: {}, 404: {} }, security: [{ login: ['b', 'a'] }] },
})

/** A document with its members in this order. */
function things(inOrder: (value: object) => object): string {
  return generate({
    paths: inOrder({
      '/a': inOrder({ ...member('x', 'get'), ...member('y', 'put') }),
      '/b': member('z', 'post'),
    }),
    components: {
      securitySchemes: {
        login: { type: 'oauth2', flows: { clientCredentials: { scopes: inOrder({ a: 'A', b: 'B' }) } } },
      },
    },
  }).code
}

t.test('generates the same contract whatever the order of paths, schemas and scopes', async t => {
  t.equal(
    things(value => Object.fromEntries(Object.entries(value).toReversed())),
    things(value => value),
  )
})

t.test('server and client share a generated contract over HTTP', async t => {
  const issuer = await createTestIssuer({
    clients: [
      {
        clientId: 'shop',
        clientSecret: 'only here',
        audience: receiptsApi.audience,
        scopes: Object.keys(receiptsApi.scopes),
      },
    ],
  })
  const app = fastify()
  t.teardown(async () => {
    await app.close()
    await issuer.close()
  })
  await app.register(resourceServer, { issuer: issuer.url, api: receiptsApi })
  app.route(
    receiptsApi.route('putReceipt', ({ params, body }) =>
      body.kind === 'card'
        ? answer(409, { title: `No ${body.place?.[0] ?? 'place'}` })
        : answer(201, { number: params.payment_id, order: body, paid: true as const }),
    ),
  )
  const { route } = receiptsApi
  app.route(route('getReceipt', () => answer(404, {})))
  app.route(route('listReceipts', ({ query }) => answer(200, query.tag === undefined ? [] : [])))
  app.route(route('postReceipts', () => answer(200, { name: 'root', children: [{ name: 'leaf' }] })))
  app.route(route('receipts/delete', () => answer(204)))
  app.route(route('status', () => answer(200, 'up')))
  const client = createTokenClient({
    baseUrl: await app.listen({ host: '127.0.0.1', port: 0 }),
    issuer: issuer.url,
    clientId: 'shop',
    clientSecret: 'only here',
    api: receiptsApi.pick('putReceipt', 'postReceipts', 'receipts/delete', 'status'),
    tokens: 'per-operation',
  })
  t.teardown(async () => client.close())
  const params = { payment_id: '2f1c6a4e-8f5b-4c51-8d0e-2d1c4a9b7e11' }
  const order = { title: 'Emma', cents: 1250, kind: 'book', place: [1, 2] } as const
  const put = await client.call('putReceipt', { params, body: { ...order, place: [1, 2] } })
  t.match(put.status === 201 && put.body, { number: params.payment_id, order: { title: 'Emma' }, paid: true })
  const refused = await client.call('putReceipt', { params, body: { ...order, kind: 'card', place: [1, 2] } })
  t.match(refused, { status: 409, body: { title: 'No 1' } })
  t.strictSame((await client.call('postReceipts')).body, { name: 'root', children: [{ name: 'leaf' }] })
  t.equal((await client.call('receipts/delete', { params })).status, 204)
  t.equal((await client.call('status')).body, 'up')
  const asked = issuer.requests.of('token').map(({ scope }) => scope)
  t.ok(asked.includes('receipts:write') && asked.includes('receipts:read'), asked.join(', '))
  // @ts-expect-error -- the document does not define this value
  const film = await client.call('putReceipt', { params, body: { ...order, kind: 'film' } })
  t.equal(film.status, 400)
})

t.test('generates the original contract from the document of @fastify/swagger', async t => {
  const Thing = Type.Object({
    name: Type.String({ minLength: 1, pattern: '^\\S' }),
    kind: Type.Optional(Type.Enum(['a', 'b'])),
    size: Type.Union([Type.Integer({ minimum: 0 }), Type.Null()]),
  })
  const params = Type.Object({ id: Type.String({ format: 'uuid' }) })
  const original = defineApi({
    audience: 'https://things.example.com',
    scopes: { 'things:read': 'Read things', 'things:write': 'Make things', unused: 'Not used' },
    operations: {
      putThing: {
        method: 'PUT',
        path: '/things/:id',
        scopes: ['things:read', 'things:write'],
        params,
        body: Thing,
        responses: { 201: Thing, 204: null },
        summary: 'Makes a thing',
      },
      'things.list': {
        method: 'GET',
        path: '/things',
        scopes: ['things:read'],
        query: Type.Object({ page: Type.Optional(Type.Integer()), tag: Type.Array(Type.String()) }),
        responses: { 200: Type.Array(Thing), 404: Type.Object({ title: Type.String() }) },
      },
      anyToken: { method: 'DELETE', path: '/things/:id', scopes: [], params, responses: { 204: null } },
      status: { method: 'GET', path: '/', scopes: 'public', responses: { 200: Type.String() } },
    },
  })
  const app = fastify()
  t.teardown(() => app.close())
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Things', version: '1' },
      components: {
        securitySchemes: {
          oauth2: {
            type: 'oauth2',
            flows: { clientCredentials: { tokenUrl: '/token', scopes: original.scopes } },
          },
        },
      },
    },
  })
  const issuer = 'https://login.example.com'
  await app.register(resourceServer, { issuer, api: original, securityScheme: 'oauth2' })
  app.route(original.route('putThing', () => answer(204)))
  app.route(original.route('things.list', () => answer(200, [])))
  app.route(original.route('anyToken', () => answer(204)))
  app.route(original.route('status', () => answer(200, 'up')))
  await app.ready()
  const { audience } = original
  const { code, notes } = contractFromOpenApi(JSON.stringify(app.swagger()), {
    source: 'app.swagger()',
    audience,
  })
  t.strictSame(notes, [])
  const { thingsApi } = (await load(t, code)) as {
    thingsApi: { audience: string; scopes: object; operations: Operations }
  }
  t.equal(thingsApi.audience, audience)
  t.strictSame(thingsApi.scopes, { ...original.scopes })
  t.strictSame(Object.keys(thingsApi.operations).sort(), Object.keys(original.operations).sort())
  for (const [name, { responses, ...rest }] of Object.entries<Operations[string]>(original.operations)) {
    const { responses: answers = {}, ...back } = thingsApi.operations[name] ?? {}
    t.strictSame(JSON.parse(JSON.stringify(back)), JSON.parse(JSON.stringify(rest)), name)
    // The resource server also documents its error responses.
    for (const [status, schema] of Object.entries(responses))
      t.strictSame(JSON.stringify(answers[Number(status)]), JSON.stringify(schema), `${name} ${status}`)
  }
})

t.test('converts JSON Schema to TypeBox', async t => {
  const cases: [schema: unknown, code: string][] = [
    [true, 'Type.Unknown()'],
    [{}, 'Type.Unknown()'],
    [false, 'Type.Never()'],
    [{ description: 'x' }, `Type.Unknown({ description: 'x' })`],
    [{ type: 'string', format: 'uuid', example: 'x', xml: {} }, `Type.String({ format: 'uuid' })`],
    [{ type: 'string', format: 'made-up' }, 'Type.String()'],
    [{ type: 'string', pattern: '^(?<!a' }, 'Type.String()'],
    [{ type: ['integer', 'null'], minimum: 1 }, 'Type.Union([Type.Integer({ minimum: 1 }), Type.Null()])'],
    [{ type: 'integer', minimum: 1, exclusiveMinimum: true }, 'Type.Integer({ exclusiveMinimum: 1 })'],
    [{ type: 'integer', maximum: 9, exclusiveMaximum: false }, 'Type.Integer({ maximum: 9 })'],
    [{ type: 'string', nullable: true }, 'Type.Union([Type.String(), Type.Null()])'],
    [{ enum: ['a', null], nullable: true }, `Type.Union([Type.Literal('a'), Type.Null()])`],
    [{ const: null }, 'Type.Null()'],
    [{ const: { a: 1 } }, 'Type.Unknown()'],
    [{ enum: ['a', 'b', 'a'] }, `Type.Enum(['a', 'b'])`],
    [{ enum: [] }, 'Type.Never()'],
    [{ enum: [true] }, 'Type.Literal(true)'],
    [{ type: 'array' }, 'Type.Array(Type.Unknown())'],
    [{ items: { type: 'null' }, maxItems: 2 }, 'Type.Array(Type.Null(), { maxItems: 2 })'],
    [{ type: 'array', prefixItems: [{ type: 'null' }] }, 'Type.Array(Type.Unknown())'],
    [{ type: 'object' }, 'Type.Record(Type.String(), Type.Unknown())'],
    [{ type: 'object', additionalProperties: false }, 'Type.Object({}, { additionalProperties: false })'],
    [{ required: ['a'] }, 'Type.Object({ a: Type.Unknown() })'],
    [
      { properties: { 'a-b': {}, __proto__2: {} }, additionalProperties: { type: 'null' } },
      `Type.Object(
        { 'a-b': Type.Optional(Type.Unknown()), __proto__2: Type.Optional(Type.Unknown()) },
        { additionalProperties: Type.Null() },
      )`,
    ],
    [{ allOf: [{ type: 'null' }] }, 'Type.Null()'],
    [
      { allOf: [{ type: 'null' }, { description: 'x' }, true] },
      'Type.Intersect([Type.Null(), Type.Unknown()])',
    ],
    [{ allOf: [{ description: 'x' }] }, 'Type.Unknown()'],
    [{ allOf: [{ type: 'null' }, { nullable: false }] }, 'Type.Null()'],
    [{ allOf: [], type: 'null' }, 'Type.Null()'],
    [{ type: 'object', oneOf: [{ type: 'null' }] }, 'Type.Null()'],
    [
      { anyOf: [{ type: 'null' }, { type: 'string' }], description: 'x' },
      `Type.Union([Type.Null(), Type.String()], { description: 'x' })`,
    ],
    [
      { allOf: [{ type: 'object' }], properties: { a: {} } },
      `Type.Intersect([
        Type.Record(Type.String(), Type.Unknown()),
        Type.Object({ a: Type.Optional(Type.Unknown()) }),
      ])`,
    ],
    [{ type: 'file' }, 'Type.Unknown()'],
    [null, 'Type.Unknown()'],
    ['string', 'Type.Unknown()'],
    [{ type: 'string', minLength: '3', title: 5 }, 'Type.String()'],
    [{ type: '__proto__' }, 'Type.Unknown()'],
  ]
  for (const [given, code] of cases) t.equal(schema(given), code, JSON.stringify(given))
})

const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` })

t.test('converts references to constants in an order that compiles, and breaks cycles', async t => {
  const schemas = {
    A: { type: 'object', properties: { b: ref('B'), 'z/~': ref('Z~1~0') } },
    B: { type: 'object', properties: { a: ref('A'), self: { type: 'array', items: ref('B') } } },
    'Z/~': { type: 'string' },
    'My thing': { type: 'string' },
    Alias: ref('A'),
    class: ref('Type'),
    Type: { type: 'null' },
    string: { type: 'string' },
    '1.a': { type: 'null' },
    '1-a': { type: 'null' },
    Part: { type: 'object', properties: { deep: { $ref: '#/components/schemas/A/properties/b' } } },
    Inner: { properties: { again: { $ref: '#/components/schemas/Inner/properties/again' } } },
    Loop: ref('Pool'),
    Pool: ref('Loop'),
    Unused: { $ref: '#/components/schemas/Nowhere' },
  }
  const wanted = ['Alias', 'class', 'string', '1.a', '1-a', 'Part', 'Inner', 'My%20thing']
  const requestBody = { content: { 'application/json': { schema: { anyOf: wanted.map(ref) } } } }
  const { code, notes } = generate({
    paths: { '/': { post: { requestBody, responses: { 200: {} }, security: [] } } },
    components: { schemas },
  })
  t.match(code, 'Type.Union([Alias, class_, string_, _1_a_2, _1_a, Part, Inner, My_thing])')
  t.notMatch(code, 'Unused')
  t.strictSame([...notes].sort(), [
    'the schema #/components/schemas/Inner/properties/again refers to itself; the inner reference becomes Type.Unknown()',
    'the schema A refers to itself; the inner reference becomes Type.Unknown()',
    'the schema B refers to itself; the inner reference becomes Type.Unknown()',
  ])
  const loaded = await load(t, code)
  t.ok(loaded['thingsApi'])
  t.throws(() => schema(ref('Loop'), schemas), { message: /refers to itself/ })
})

t.test('never turns names and texts of a document into code', async t => {
  const evil = `'"\`\${globalThis.hacked = 1}*/\n\r\u2028globalThis.hacked = 2//\\`
  const { code } = generate(
    {
      info: { title: evil, version: evil },
      paths: {
        '/a/{x}': {
          post: {
            operationId: evil,
            summary: evil,
            security: [{ login: ['a'] }, { [evil]: [] }],
            parameters: [
              { in: 'header', name: evil },
              { in: 'query', name: evil, schema: { enum: [evil, '__proto__'], description: evil } },
              { in: 'query', name: '__proto__', style: evil, schema: {} },
            ],
            requestBody: {
              content: { 'application/json': { schema: { $ref: '#/components/schemas/evil' } } },
            },
            responses: { 200: { content: { 'application/json': { schema: { const: evil } } } } },
          },
        },
        '/b': { post: { operationId: '__proto__', responses: { 204: {} } } },
        [`/${evil}`]: { post: { operationId: `left${evil}`, responses: { 204: {} } } },
      },
      components: {
        securitySchemes: {
          login: { type: 'oauth2', flows: { clientCredentials: { scopes: { a: evil, [evil]: evil } } } },
        },
        schemas: {
          evil: {
            type: 'object',
            properties: JSON.parse(`{"__proto__":{"type":"null"},"'":{}}`) as object,
          },
        },
      },
    },
    { source: evil },
  )
  const loaded = await load(t, code)
  t.equal((globalThis as { hacked?: unknown }).hacked, undefined)
  const api = Object.values(loaded).find(value => Object.hasOwn(Object(value), 'operations')) as {
    operations: Operations
    scopes: object
  }
  t.strictSame(Object.keys(api.operations), [evil, '__proto__'])
  t.strictSame(Object.keys(api.scopes), ['a'])
})

/** Returns the scopes of an operation with this security requirement. */
function security(required: unknown, schemes: object = {}): string {
  const components = { securitySchemes: { login: { type: 'oauth2', flows: {} }, ...schemes } }
  const code = operation({ security: required }, { components })
  return (/scopes: (\[.*?\]|'public'),/.exec(code) ?? [])[1] ?? ''
}

t.test('converts names, paths and scopes, and omits operations that a contract cannot express', async t => {
  t.equal(security([]), `'public'`)
  t.equal(security([{}]), `'public'`)
  t.equal(security(undefined), '[]')
  t.equal(security([{ login: [] }]), '[]')
  t.equal(security([{ login: ['b', 'a', 'b'] }]), `['a', 'b']`)
  t.equal(security([{ login: ['a', 'b'] }, { login: ['c'] }, {}]), `['c']`)
  t.equal(security([{ key: [] }, { login: ['a'] }], { key: { type: 'apiKey' } }), `['a']`)
  t.equal(security([{ login: ['a'], more: ['b'] }], { more: { type: 'openIdConnect' } }), `['a', 'b']`)
  t.equal(security([{ more: ['role'] }], { more: { type: 'http', scheme: 'Bearer' } }), `['role']`)
  t.equal(security([{ missing: ['a'] }]), '[]')

  const names = generate({
    paths: {
      '/a/{id}': { get: { responses: { 204: {} } }, put: { operationId: 'x', responses: { 204: {} } } },
      '/b': {
        get: { operationId: 'x', responses: { 204: {} } },
        put: { operationId: 'x', responses: { 204: {} } },
      },
      '/c': { get: { operationId: 'not an id', responses: { 204: {} } } },
    },
  }).code
  t.strictSame(
    [...names.matchAll(/^ {4}(\S[^:]*): \{/gm)].map(([, name]) => name),
    ['getAId', 'x', 'x_2', 'x_3', `'not an id'`],
  )

  const leftOut: [change: object, path: string, reason: RegExp][] = [
    [{}, '/a/{x}-{y}', /do not support this path syntax/],
    [{}, '/a:b', /do not support this path syntax/],
    [{}, '/a?b=c', /do not support this path syntax/],
    [{}, '/{a}/{a}', /do not support this path syntax/],
    [{ requestBody: { content: { 'text/plain': {} } } }, '/', /the request body is not JSON/],
    [{ requestBody: { content: {} } }, '/', /the request body is not JSON/],
    [
      { responses: { 200: { content: { 'text/html': {} } } } },
      '/',
      /at least one response that either is JSON or has no body/,
    ],
    [{ responses: {} }, '/', /at least one response that either is JSON or has no body/],
    [{ responses: undefined }, '/', /at least one response that either is JSON or has no body/],
    [{ security: [{ login: ['a b'] }] }, '/', /a scope contains characters that OAuth 2 does not allow/],
    [
      { parameters: [{ in: 'query', name: 'q', required: true, schema: { type: 'object' } }] },
      '/',
      /the query parameter q/,
    ],
  ]
  const components = { securitySchemes: { login: { type: 'oauth2' } } }
  for (const [change, path, reason] of leftOut) {
    const code = operation(change, { components }, path)
    t.match(code, new RegExp(`// make is omitted: .*${reason.source}`), path)
    t.notMatch(code, 'make: {')
  }
  const twice = generate({
    paths: {
      '/a/{x}': { get: { operationId: 'one', responses: { 204: {} } } },
      '/a/{y}': { get: { operationId: 'two', responses: { 204: {} } } },
    },
  })
  t.strictSame(twice.notes.slice(-1), [
    'two is omitted: the operation has the same route as the operation one.',
  ])
  const extended = generate({
    paths: {
      'x-internal': { get: { responses: { 204: {} } } },
      '/a': {
        servers: [{ url: 'https://other.example.com' }],
        get: { responses: { 204: {} }, security: [] },
      },
    },
  })
  t.strictSame(extended.notes, [
    'getA: the operation defines its own servers, so callers need a client with a different base URL.',
  ])
})

const json = (type: string) => ({ content: { 'application/json': { schema: { type } } } })

const responses = (given: object, options: object = {}): string => {
  const paths = { '/': { get: { operationId: 'get', responses: given } } }
  return (/responses: (\{[^}]*\})/.exec(generate({ paths }, options).code) ?? [])[1] ?? ''
}

t.test('expands a default response to the statuses that are not listed', async t => {
  t.equal(
    responses({ 404: json('null'), default: json('string') }, { defaultStatuses: [400, 404] }),
    '{ 200: Type.String(), 400: Type.String(), 404: Type.Null() }',
  )
  t.equal(
    responses(
      { 201: {}, '4XX': json('null'), '5xx': {}, default: json('string') },
      { defaultStatuses: [400, 503, 300] },
    ),
    '{ 201: null, 300: Type.String(), 400: Type.Null(), 503: null }',
  )
  t.equal(responses({ 200: json('null'), default: {} }, { defaultStatuses: [] }), '{ 200: Type.Null() }')
  t.equal(
    responses({ 100: {}, 200: json('null'), abc: {}, 204: json('string') }),
    '{ 200: Type.Null(), 204: null }',
  )
})

t.test('rejects an invalid document with the reason', async t => {
  const merged = 'openapi: 3.1.0\nx-base: &base { url: "https://a.example.com" }\nservers: [{ <<: *base }]\n'
  t.match(contractFromOpenApi(merged, { source: 'x' }).code, "audience: 'https://a.example.com'")
  const cases: [document: string | object, message: RegExp][] = [
    ['', /is null; expected an OpenAPI document in JSON or YAML/],
    ['[]', /is \[\]; expected an OpenAPI document/],
    ['{"openapi": 3', /neither valid JSON nor valid YAML/],
    ['a: b: c', /neither valid JSON nor valid YAML/],
    ['a: &a [*a]', /more than 500 levels/],
    [{ openapi: '3.1.0', paths: [] }, /`paths` are \[\]; expected an object/],
    [{ swagger: '2.0' }, /uses Swagger "2.0"; expected OpenAPI 3\. Convert the document/],
    [{}, /`openapi` is undefined; expected 3\.0, 3\.1 or 3\.2/],
    [{ openapi: '4.0.0' }, /`openapi` is "4\.0\.0"/],
    [{ openapi: 3.1 }, /`openapi` is 3\.1/],
    [{ openapi: '3.1.0' }, /no server with an absolute URL.*--audience/],
    [{ openapi: '3.1.0', servers: [{ url: '/v1' }] }, /no server with an absolute URL/],
    [{ openapi: '3.1.0', servers: [{ url: 'https://{host}/v1' }] }, /no server with an absolute URL/],
  ]
  for (const [document, message] of cases) {
    const text = typeof document === 'string' ? document : JSON.stringify(document)
    t.throws(
      () => contractFromOpenApi(text, { source: 'x' }),
      { code: 'API_CONTRACT_OPENAPI', message },
      text,
    )
  }
  const refs: [ref: string, message: RegExp][] = [
    [
      'https://example.com/schema.json',
      /"https:\/\/example\.com\/schema\.json" points outside the document; bundle the document/,
    ],
    ['./other.yaml#/a', /points outside the document/],
    ['#/components/schemas/Nowhere', /does not exist in the document/],
    ['#/components/schemas/%zz', /does not exist in the document/],
    ['#/__proto__', /does not exist in the document/],
    ['#/paths/constructor', /does not exist in the document/],
  ]
  for (const [$ref, message] of refs)
    t.throws(() => schema({ $ref }), { code: 'API_CONTRACT_OPENAPI', message }, $ref)
  for (const name of ['', 'a b', 'class', '1', 'defineApi', 'Type'])
    t.throws(
      () => generate({}, { name }),
      { code: 'API_CONTRACT_OPENAPI', message: /expected an identifier/ },
      name,
    )
  t.throws(() => generate({}, { audience: ' ' }), {
    code: 'API_CONTRACT_OPENAPI',
    message: /audience is empty/,
  })
  t.match(
    generate({}, { audience: 'urn:things', name: 'mine' }).code,
    `export const mine = defineApi({\n  audience: 'urn:things',\n`,
  )
})

t.test('the command writes the generated file', async t => {
  const folder = mkdtempSync(join(root, '.test/cli-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const run = (args: string[], input = '') =>
    spawnSync(process.execPath, [join(root, 'dist/cli.js'), ...args], {
      cwd: folder,
      encoding: 'utf8',
      input,
      env: { PATH: process.env['PATH'] },
    })
  const committed = readFileSync(join(root, 'test/generated/receipts-api.ts'), 'utf8')
  const file = join(root, 'test', source)
  const printed = run(['from-openapi', file])
  t.strictSame([printed.status, printed.stdout], [0, committed])
  t.match(printed.stderr, 'note: search is omitted: the request body is not JSON.\n')
  t.strictSame(run(['from-openapi', file, '--out', 'api.ts']).stdout, '')
  t.equal(readFileSync(join(folder, 'api.ts'), 'utf8'), committed)
  const piped = run(
    ['from-openapi', '-', '--name', 'api', '--audience', 'urn:a', '--default-statuses', '418'],
    yaml,
  )
  t.match(piped.stdout, /^\/\/ Generated from standard input \(Receipts API 1\.2\.0\)/)
  t.match(piped.stdout, /responses: \{ 201: Receipt, 418: problem_v1 \}/)

  const failed = run(['from-openapi', '-', '--out', 'api.ts'], '{}')
  t.match([failed.status, failed.stderr], [1, /`openapi` is undefined/])
  t.equal(readFileSync(join(folder, 'api.ts'), 'utf8'), committed, 'the file is as it was')
  t.match(run(['from-openapi', 'nowhere.json']), { status: 1, stderr: /ENOENT/ })
  t.match(run(['from-openapi', file, '--default-statuses', '99']), { status: 1, stderr: /has "99"/ })
  t.match(run(['from-openapi', file, '--audiance', 'x']), {
    status: 1,
    stderr: /Unknown option '--audiance'/,
  })
  t.match(run(['from-openapi']), { status: 2, stderr: /^Usage: / })
  t.match(run(['to-openapi', file]), { status: 2, stderr: /^Usage: / })
  t.match(run(['--help']), { status: 0, stdout: /^Usage: / })
})

function nested(levels: number): object {
  return Array.from({ length: levels }).reduce<object>(items => ({ type: 'array', items }), {})
}

t.test('rejects a document with more than 500 levels', async t => {
  const message =
    /more than 500 levels of nested objects and lists; move inner schemas to components\/schemas/
  t.match(schema(nested(400)), 'Type.Array(Type.Array(')
  for (const levels of [500, 3_000])
    t.throws(() => schema(nested(levels)), { code: 'API_CONTRACT_OPENAPI', message })
  const lines = Array.from({ length: 3_000 }, (_, index) => `${' '.repeat(index)}a:`)
  t.throws(() => contractFromOpenApi(lines.join('\n'), { source: 'x' }), { message })
})

t.test('converts a chain of 5,000 schemas to constants', async t => {
  const schemas: Record<string, object> = { S5000: { type: 'string' } }
  for (let index = 0; index < 5_000; index += 1)
    schemas[`S${index}`] = { properties: { next: { $ref: `#/components/schemas/S${index + 1}` } } }
  const requestBody = { content: { 'application/json': { schema: { $ref: '#/components/schemas/S0' } } } }
  t.equal(operation({ requestBody }, { components: { schemas } }).match(/^export const S/gm)?.length, 5_001)
})

t.test('rejects inlined schemas that double at each reference', async t => {
  const doubled = Array.from({ length: 30 }, (_, index) => [
    `s${index}`,
    { anyOf: [{ $ref: `#/x/s${index + 1}` }, { $ref: `#/x/s${index + 1}` }] },
  ])
  const requestBody = { content: { 'application/json': { schema: { $ref: '#/x/s0' } } } }
  t.throws(() => operation({ requestBody }, { x: { ...Object.fromEntries(doubled), s30: {} } }), {
    code: 'API_CONTRACT_OPENAPI',
    message: /more than 10000 references .*; move these schemas there/,
  })
})

for (const [options, message] of [
  [{ source: undefined }, /option source is undefined; expected the file name of the document/],
  [{ source: 5 }, /option source is 5; expected/],
  [{ audience: ['a'] }, /option audience is \[ 'a' \]; expected/],
  [{ name: 5 }, /option name is 5; expected/],
  [{ defaultStatuses: '400' }, /option defaultStatuses is '400'; expected/],
  [{ defaultStatuses: [999] }, /option defaultStatuses is \[ 999 \]; expected/],
  [{ title: 'a' }, /There is no option title; the valid options are source/],
] as const)
  t.test(`contractFromOpenApi(text, ${JSON.stringify(options)}) is refused`, async t => {
    t.throws(() => generate({}, options), { code: 'API_CONTRACT_OPENAPI', message })
  })

t.test('rejects a document that is not text', async t => {
  for (const text of [null, undefined, {}, Buffer.from('{}')])
    t.throws(() => contractFromOpenApi(text as never, { source: 'x' }), {
      code: 'API_CONTRACT_OPENAPI',
      message: /expected a string with an OpenAPI document/,
    })
})
