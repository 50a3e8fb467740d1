import t from 'tap'
import { createTokenClient, type TokenClient } from 'fastify-token-client'
import { clientOf, startApi } from './calling.js'
import { startTokenEndpoint } from './token-endpoint.js'

type Untyped = Record<string, (...given: unknown[]) => unknown>

/** A copy of it has no path. */
class Call {
  get path(): string {
    return '/'
  }
}

/** What somebody writes who has no compiler, and what it says to him. */
const mistakes: [string, (client: Untyped) => unknown, RegExp][] = [
  [
    'request()',
    client => client['request']?.(),
    /request expects an object such as \{ path: '\/receipts' \}, not undefined/,
  ],
  [
    "request('/receipts')",
    client => client['request']?.('/receipts'),
    /request expects an object such as .*, not text/,
  ],
  ['request(null)', client => client['request']?.(null), /request expects an object such as .*, not null/],
  [
    'request({})',
    client => client['request']?.({}),
    /`path` is undefined; expected text that begins with a slash/,
  ],
  [
    'request with a URL',
    client => client['request']?.({ path: new URL('https://a.example') }),
    /`path` is an instance of URL; expected text/,
  ],
  ['request with a list', client => client['request']?.({ path: ['/a'] }), /`path` is a list; expected text/],
  [
    'stream()',
    client => client['stream']?.(),
    /stream expects an object such as \{ path: '\/receipts' \}, not undefined/,
  ],
  ['stream({})', client => client['stream']?.({}), /`path` is undefined; expected text/],
  ['fetch()', client => client['fetch']?.(), /fetch expects a path, a URL or a Request, not undefined/],
  ['fetch(7)', client => client['fetch']?.(7), /fetch expects a path, a URL or a Request, not a number/],
  ...['get', 'post', 'put', 'patch', 'delete'].map(
    (method): [string, (client: Untyped) => unknown, RegExp] => [
      `${method}()`,
      client => client[method]?.(),
      /`path` is undefined; expected text that begins with a slash, such as '\/receipts'/,
    ],
  ),
  [
    'get(undefined, { query })',
    client => client['get']?.(undefined, { query: { page: 1 } }),
    /`path` is undefined/,
  ],
  ["get('/', null)", client => client['get']?.('/', null), /options are null; expected an object such as/],
  [
    "get('/', 'text')",
    client => client['get']?.('/', 'text'),
    /options are text; expected an object such as/,
  ],
  [
    "post('/', { body })",
    client => client['post']?.('/', { body: '{}' }),
    /unknown option `body`; expected one of json, query, headers, signal, response/,
  ],
  ['json that is a function', client => client['post']?.('/', { json: () => 1 }), /`json` is a function/],
  [
    'json with a BigInt',
    client => client['post']?.('/', { json: 1n }),
    /`json` cannot be serialized as JSON: .*BigInt/,
  ],
  ['getToken(null)', client => client['getToken']?.(null), /options are null; expected an object such as/],
  [
    'getToken(new Map())',
    client => client['getToken']?.(new Map()),
    /options are an instance of Map; expected/,
  ],
  [
    'request with a Promise',
    client => client['request']?.(Promise.resolve({ path: '/' })),
    /request expects an object .*, not a Promise \(is an `await` missing\?\)/,
  ],
  [
    'request with an instance',
    client => client['request']?.(new Call()),
    /request expects an object .*, not an instance of Call/,
  ],
  [
    'a promise of options',
    client => client['get']?.('/', Promise.resolve({ query: { page: 1 } })),
    /options are a Promise \(is an `await` missing\?\); expected/,
  ],
  [
    'a map of options',
    client => client['get']?.('/', new Map([['query', {}]])),
    /options are an instance of Map/,
  ],
  [
    'query that is URLSearchParams',
    client => client['get']?.('/', { query: new URLSearchParams('page=1') }),
    /`query` is an instance of URLSearchParams; expected an object/,
  ],
  [
    'query that is a list',
    client => client['get']?.('/', { query: ['a'] }),
    /`query` is a list; expected an object/,
  ],
  [
    'query that is null',
    client => client['get']?.('/', { query: null }),
    /`query` is null; expected an object/,
  ],
  ...[{}, Symbol('s'), Promise.resolve(1), null, () => 1].map(
    (value): [string, (client: Untyped) => unknown, RegExp] => [
      `query with ${typeof value} ${String(value === null)}`,
      client => client['get']?.('/', { query: { a: value } }),
      /`query\.a` is .*; expected a string, a number or a boolean/,
    ],
  ),
  ...[null, 'text', 5].map((schema): [string, (client: Untyped) => unknown, RegExp] => [
    `a schema that is ${String(schema)}`,
    client => client['get']?.('/', { response: { 200: schema } }),
    /`response` contains .*; expected a schema for each status/,
  ]),
  [
    'answers in a map',
    client => client['get']?.('/', { response: new Map([[200, {}]]) }),
    /`response` is an instance of Map; expected an object/,
  ],
  [
    'json that is a promise',
    client => client['post']?.('/', { json: Promise.resolve({ a: 1 }) }),
    /`json` is a Promise \(is an `await` missing\?\), which JSON cannot represent/,
  ],
  [
    'json that is a map',
    client => client['post']?.('/', { json: new Map([['a', 1]]) }),
    /`json` is an instance of Map/,
  ],
  [
    'json that is a set',
    client => client['post']?.('/', { json: new Set([1]) }),
    /`json` is an instance of Set/,
  ],
  ...([null, undefined, 0, '', new Error('vault')] as const).map(
    (thrown): [string, (client: Untyped) => unknown, RegExp] => [
      `json whose toJSON throws ${String(thrown)}`,
      client =>
        client['post']?.('/', {
          json: {
            toJSON() {
              throw thrown
            },
          },
        }),
      /^`json` cannot be serialized as JSON: (no reason was given|vault)$/,
    ],
  ),
  ...['get', 'post'].map((method): [string, (client: Untyped) => unknown, RegExp] => [
    `${method} with a promise of headers`,
    client => client[method]?.('/', { headers: Promise.resolve({ accept: 'text/plain' }) }),
    /`headers` is a Promise \(is an `await` missing\?\); expected an object/,
  ]),
  [
    'fetch with a promise of options',
    client => client['fetch']?.('/', Promise.resolve({ method: 'DELETE' })),
    /second argument of fetch is a Promise \(is an `await` missing\?\); expected/,
  ],
  [
    'fetch with a map',
    client => client['fetch']?.('/', new Map([['method', 'DELETE']])),
    /is an instance of Map/,
  ],
  [
    'getToken with a number',
    client => client['getToken']?.({ signal: 7 }),
    /`signal` is a number; expected an AbortSignal/,
  ],
]

for (const [what, call, message] of mistakes)
  t.test(`${what}: the error names the expected argument, and nothing is sent`, async t => {
    const endpoint = await startTokenEndpoint(t)
    const api = await startApi(t, (_, response) => void response.end())
    const client = clientOf(t, endpoint, api.url) as unknown as Untyped
    const failure = await Promise.resolve(call(client)).catch((error: unknown) => error)
    t.ok(failure instanceof TypeError)
    t.match(failure, { message })
    t.strictSame([endpoint.requests.length, api.seen.length], [0, 0])
  })

t.test('a promise of headers is refused by every method', async t => {
  const endpoint = await startTokenEndpoint(t)
  const api = await startApi(t, (_, response) => void response.end())
  const headers = Promise.resolve({ accept: 'text/plain' }) as never
  for (const cached of [false, true]) {
    const client = clientOf(t, endpoint, api.url)
    if (cached) await client.getToken()
    const message = /`headers` is a Promise/
    await t.rejects(client.request({ path: '/', headers }), { message })
    await t.rejects(client.dispatcher.request({ origin: api.url, path: '/', method: 'GET', headers }), {
      message,
    })
  }
  const client = clientOf(t, endpoint, api.url)
  for (const thrown of [null, undefined, 0]) {
    const call = Object.defineProperty({ path: '/', method: 'POST' }, 'body', {
      enumerable: true,
      get() {
        throw thrown
      },
    })
    await t.rejects(client.request(call as never), { message: 'no reason was given', cause: thrown })
  }
  t.equal(api.seen.length, 0)
})

t.test('an AbortController, a Request, and an object with toJSON are accepted', async t => {
  const endpoint = await startTokenEndpoint(t)
  const api = await startApi(t, (_, response) => void response.end())
  const client = clientOf(t, endpoint, api.url)
  t.ok(await client.getToken(new AbortController()))
  t.equal((await client.fetch('/', new Request(api.url, { method: 'PUT' }))).status, 200)
  for (const json of [new Date(0), { toJSON: () => ({}) }, {}, Object.create(null)])
    t.equal((await client.post('/', { json })).status, 200)
  t.equal(
    (await client.get('/', { query: Object.create(null) as Record<string, string>, headers: {} })).status,
    200,
  )
})

t.test('onBehalfOf refuses values that are not requests', async t => {
  const client = clientOf(t, await startTokenEndpoint(t), 'https://receipts.example.com')
  for (const [given, kind] of [
    [undefined, 'undefined'],
    [null, 'null'],
    [7, 'a number'],
    [{}, 'an object'],
    [{ headers: null }, 'an object'],
    [{ headers: 'authorization: Bearer x' }, 'an object'],
  ] as const)
    t.throws(
      () => client.onBehalfOf(given as never),
      new TypeError(`onBehalfOf expects the incoming request, or its access token as a string, not ${kind}`),
    )
})

t.test('invalidate refuses values that are not tokens, with and without a cached token', async t => {
  const client = clientOf(t, await startTokenEndpoint(t), 'https://receipts.example.com')
  const drop = (given: unknown) => () => client.invalidate(given as never)
  const wanted = 'invalidate expects a token object that getToken or peekToken returned'
  t.throws(drop(client.peekToken()), new TypeError(`${wanted}, not undefined`))
  const { accessToken } = await client.getToken()
  t.throws(drop(undefined), new TypeError(`${wanted}, not undefined`))
  t.throws(drop(accessToken), new TypeError(`${wanted}, not text`))
  t.ok(client.peekToken())
})

t.test('options must be an object', t => {
  for (const given of [undefined, null, 'https://receipts.example.com'])
    t.throws(() => createTokenClient(given as never) as TokenClient, {
      code: 'TOKEN_CLIENT_INVALID_OPTION',
      message: /createTokenClient expects an object of options, not (undefined|null|"https)/,
    })
  t.end()
})
