import fastify from 'fastify'
import { answer, UnexpectedAnswerError, type Client } from 'fastify-api-contract'
import { createTokenClient } from 'fastify-token-client'
import t, { type Test } from 'tap'
import { Pool } from 'undici'
import { startReceipts, type Bench } from './protected-receipts.js'
import { receiptsApi } from './receipts-api.js'

async function* nothing(): AsyncGenerator<Uint8Array> {}

const order = { title: 'Emma', cents: 1250 }

/** Creates a pool that sends a token with these scopes. */
async function poolWith(t: Test, { issuer, url }: Bench, scopes: string[]): Promise<Client> {
  const pool = new Pool(url)
  t.teardown(async () => pool.close())
  const token = await issuer.token({ scopes, clientId: 'payment' })
  return {
    request: options =>
      pool.request({ ...options, headers: { ...options.headers, authorization: `Bearer ${token}` } }),
  }
}

t.test('requests the scopes of the operations, and every call succeeds', async t => {
  const bench = await startReceipts(t)
  const used = receiptsApi.pick('putReceipt', 'getReceipt', 'listReceipts')
  t.strictSame(used.scopes, ['receipts:read', 'receipts:write'])
  const client = createTokenClient({
    baseUrl: bench.url,
    issuer: bench.issuer.url,
    clientId: 'payment',
    clientSecret: 'only here',
    scopes: used.scopes,
    resource: used.audience,
  })
  t.teardown(() => client.close())
  const receipts = used.over(client)
  const put = await receipts.call('putReceipt', { params: { paymentId: 'p 1?#é' }, body: order })
  t.match(put, {
    status: 201,
    body: { number: 'R-1', cents: 1250 },
    headers: { location: '/receipts/p%201%3F%23%C3%A9' },
  })
  t.notOk('hidden' in Object(put.body), 'a field that is not in the schema is not sent')
  t.equal(put.retryAfterMs, undefined)
  const again = await receipts.call('putReceipt', { params: { paymentId: 'p 1?#é' }, body: order })
  t.match(again.status === 409 && again.body.title, 'There is one')
  const got = await receipts.call('getReceipt', { params: { paymentId: 'p 1?#é' } })
  t.match(got.status === 200 && got.body.cents, 1250)
  const listed = await receipts.call('listReceipts', { query: { page: 2, tag: ['a&b', 'c'] } })
  t.strictSame(listed.body, { page: 2, tags: ['a&b', 'c'] })
  t.strictSame((await receipts.call('listReceipts')).body, { page: 0, tags: [] })
  t.strictSame((await receipts.call('listReceipts', { query: { tag: ['one'] } })).body.tags, ['one'])
})

t.test('rejects a token without the scope of the operation, with a clear error', async t => {
  const bench = await startReceipts(t)
  const { call } = receiptsApi.pick('putReceipt').over(await poolWith(t, bench, ['receipts:read']))
  const error = await call('putReceipt', { params: { paymentId: '1' }, body: order }).catch(
    (error: unknown) => error,
  )
  t.ok(error instanceof UnexpectedAnswerError)
  t.match(error, {
    code: 'API_CONTRACT_UNEXPECTED_ANSWER',
    statusCode: 502,
    operation: 'putReceipt',
    status: 403,
    retryAfterMs: undefined,
    message: 'putReceipt: the API responded with 403; expected 201, 409, 503',
    responseHeaders: { 'www-authenticate': /insufficient_scope/ },
    body: /OAUTH_INSUFFICIENT_SCOPE/,
  })
  t.strictSame(
    Object.keys(Object(error)).sort(),
    ['code', 'operation', 'retryAfterMs', 'status', 'statusCode'],
    'neither body nor headers are logged',
  )
})

t.test('supports a token per operation', async t => {
  const bench = await startReceipts(t)
  const asked: string[] = []
  const { call } = receiptsApi.pick('getReceipt', 'deleteReceipt', 'status').over(({ name, scopes }) => {
    asked.push(`${name}: ${scopes.join(' ')}`)
    return {
      request: async options => (await poolWith(t, bench, [...scopes])).request(options),
    }
  })
  t.equal((await call('getReceipt', { params: { paymentId: '1' } })).status, 404)
  const gone = await call('deleteReceipt', { params: { paymentId: '1' } })
  t.strictSame([gone.status, gone.body], [204, undefined])
  t.equal((await call('status')).body, 'up')
  t.strictSame(asked, [
    'getReceipt: receipts:read',
    'deleteReceipt: receipts:read receipts:write',
    'status: ',
  ])
})

t.test('converts Retry-After to milliseconds in answers and errors', async t => {
  const bench = await startReceipts(t)
  const { call } = receiptsApi.pick('putReceipt').over(await poolWith(t, bench, ['receipts:write']))
  const busy = await call('putReceipt', { params: { paymentId: '1' }, body: { title: 'later', cents: 1 } })
  t.match([busy.status, busy.retryAfterMs], [503, 7000])

  const app = fastify()
  t.teardown(() => app.close())
  const values = ['0', '99999999999', 'soon', '', new Date(Date.now() + 60_000).toUTCString(), '-5', '1.5']
  app.put('/receipts/:paymentId', async (_, reply) =>
    reply.code(429).header('retry-after', values.shift()).send('x'.repeat(2000)),
  )
  const pool = new Pool(await app.listen({ host: '127.0.0.1', port: 0 }))
  t.teardown(async () => pool.close())
  const limited = receiptsApi.pick('putReceipt').over(pool)
  const waits: unknown[] = []
  while (values.length > 0)
    try {
      await limited.call('putReceipt', { params: { paymentId: '1' }, body: order })
    } catch (error) {
      t.ok(error instanceof UnexpectedAnswerError && error.body.length === 1000)
      waits.push((error as UnexpectedAnswerError).retryAfterMs)
    }
  const [zero, long, text, empty, date, negative, fraction] = waits
  t.strictSame(
    [zero, long, text, empty, negative, fraction],
    [0, 2 ** 31 - 1, undefined, undefined, undefined, undefined],
  )
  t.ok(Number(date) > 50_000 && Number(date) <= 60_000, String(date))
})

t.test('answers 500 and logs the problem if the answer violates the contract', async t => {
  const bench = await startReceipts(t)
  const client = await poolWith(t, bench, ['receipts:write'])
  const { call } = receiptsApi.pick('putReceipt').over(client)
  const wrong = call('putReceipt', { params: { paymentId: '1' }, body: { title: 'wrong', cents: 1 } })
  const error = (await wrong.catch((error: unknown) => error)) as UnexpectedAnswerError
  t.equal(error.status, 500)
  t.strictSame(JSON.parse(error.body), {
    statusCode: 500,
    code: 'API_CONTRACT_BROKEN',
    error: 'Internal Server Error',
    message: 'The response violates the API contract',
  })
  t.match(bench.logged, [
    { err: { code: 'API_CONTRACT_BROKEN', problem: /^putReceipt: 201: \/number .*pattern/ } },
  ])
})

t.test('answers 500 if the handler returns no answer', async t => {
  const problems: unknown[] = []
  const app = fastify()
  t.teardown(() => app.close())
  app.setErrorHandler((error, _, reply) => {
    problems.push((error as { problem?: string }).problem)
    return reply.code(500).send({})
  })
  const wrong = [undefined, null, 'up', { status: 200 }, { status: '200' }, answer(201, 'up'), answer(200, 5)]
  // The cast: JavaScript callers can pass any value.
  app.route(receiptsApi.route('status', (async () => wrong.shift()) as never))
  for (const _ of Array.from(wrong)) t.equal((await app.inject('/status')).statusCode, 500)
  t.match(problems, [
    'status: the handler returned status 0; expected answer(…) with 200',
    'status: the handler returned status 0; expected answer(…) with 200',
    'status: the handler returned status 0; expected answer(…) with 200',
    /^status: 200: /,
    /^status: 200: /,
    'status: the handler returned status 201; expected answer(…) with 200',
    /^status: 200: /,
  ])
})

t.test('sends text and null as JSON', async t => {
  const app = fastify()
  t.teardown(() => app.close())
  const bodies = ['up "and" well', null]
  app.route(receiptsApi.route('status', () => answer(200, bodies.shift() ?? null)))
  const pool = new Pool(await app.listen({ host: '127.0.0.1', port: 0 }))
  t.teardown(async () => pool.close())
  const { call } = receiptsApi.pick('status').over(pool)
  const first = await call('status')
  t.equal(first.body, 'up "and" well')
  t.match(first.headers['content-type'], /^application\/json/)
  t.equal((await call('status')).body, null)
})

t.test('rejects a call if the body violates the contract', async t => {
  const app = fastify()
  t.teardown(() => app.close())
  const cases: [body: string, problem: RegExp][] = [
    ['{"number":"X","cents":1}', /\/number/],
    ['{"number":"R-1"}', /cents/],
    ['<html>', /it is not JSON/],
    ['', /it is not JSON/],
    ['null', /object/],
    [`{"number":"R-1","cents":1,"more":"${'x'.repeat(10 * 1024 * 1024)}"}`, /larger than 10 MiB/],
  ]
  const bodies = cases.map(([body]) => body)
  app.get('/receipts/:paymentId', async (_, reply) => reply.code(200).send(bodies.shift()))
  const pool = new Pool(await app.listen({ host: '127.0.0.1', port: 0 }))
  t.teardown(async () => pool.close())
  const { call } = receiptsApi.pick('getReceipt').over(pool)
  for (const [body, problem] of cases) {
    const error = await call('getReceipt', { params: { paymentId: '1' } }).catch((error: unknown) => error)
    t.ok(error instanceof UnexpectedAnswerError, body.slice(0, 30))
    t.match(error, { code: 'API_CONTRACT_UNEXPECTED_ANSWER', statusCode: 502, status: 200, message: problem })
  }
})

t.test('reads only the beginning of an unexpected answer', async t => {
  const chunk = new Uint8Array(16 * 1024).fill(120)
  for (const statusCode of [500, 204]) {
    let chunks = 0
    let isClosed = false
    async function* endless(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) {
          chunks++
          yield chunk
        }
      } finally {
        isClosed = true
      }
    }
    const client: Client = { request: async () => ({ statusCode, headers: {}, body: endless() }) }
    const call = receiptsApi
      .pick('deleteReceipt')
      .over(client)
      .call('deleteReceipt', { params: { paymentId: '1' } })
    const error = await call.catch((error: unknown) => error)
    if (statusCode === 500)
      t.match(error, { code: 'API_CONTRACT_UNEXPECTED_ANSWER', status: 500, body: /^x{1000}$/ })
    else t.match(error, { status: 204, body: undefined })
    t.equal(chunks, 5, '80 KiB at most')
    t.ok(isClosed, 'the rest is discarded')
  }
})

t.test('rejects parameters that would leave their path segment', async t => {
  const paths: string[] = []
  const client: Client = {
    async request({ path }) {
      paths.push(path)
      return { statusCode: 204, headers: {}, body: nothing() }
    },
  }
  const { call } = receiptsApi.pick('deleteReceipt', 'listReceipts').over(client)
  const refused = [
    '',
    '.',
    '..',
    '../items',
    'a/b',
    '/',
    'a\\b',
    '..\\x',
    '\uD800',
    undefined,
    null,
    {},
    [],
    Number.NaN,
    Number.POSITIVE_INFINITY,
  ]
  for (const paymentId of refused)
    await t.rejects(
      // The cast: JavaScript callers can pass any value.
      call('deleteReceipt', { params: { paymentId: paymentId as string } }),
      { code: 'API_CONTRACT_INVALID_CALL' },
      JSON.stringify(paymentId) ?? 'undefined',
    )
  t.strictSame(paths, [], 'nothing was sent')
  const sent: [given: unknown, path: string][] = [
    ['a b', '/receipts/a%20b'],
    ['..%2f', '/receipts/..%252f'],
    ['...', '/receipts/...'],
    ['?a#b;c', '/receipts/%3Fa%23b%3Bc'],
    [7, '/receipts/7'],
    ['ÅÄÖ', '/receipts/%C3%85%C3%84%C3%96'],
    ['$&', '/receipts/%24%26'],
    [':paymentId', '/receipts/%3ApaymentId'],
  ]
  for (const [paymentId] of sent) await call('deleteReceipt', { params: { paymentId: paymentId as string } })
  t.strictSame(
    paths,
    sent.map(([, path]) => path),
  )
})

t.test('rejects invalid input before sending a request', async t => {
  let sent = 0
  const client: Client = {
    async request() {
      sent++
      throw new Error('sent')
    },
  }
  // The cast: JavaScript callers can pass any value.
  const call = receiptsApi.pick('putReceipt', 'listReceipts').over(client).call as unknown as (
    operation: string,
    input?: object | null,
  ) => Promise<unknown>
  const cyclic: { self?: unknown } = {}
  cyclic.self = cyclic
  const params = { paymentId: '1' }
  const wrong: [operation: string, input: object | null | undefined, message: string][] = [
    ['putReceipt', undefined, 'API contract: putReceipt: body is undefined; expected JSON'],
    ['putReceipt', null, 'API contract: putReceipt: body is undefined; expected JSON'],
    ['putReceipt', { params }, 'API contract: putReceipt: body is undefined; expected JSON'],
    ['putReceipt', { params, body: 5n }, 'API contract: putReceipt: body is 5n; expected JSON'],
    [
      'putReceipt',
      { params, body: cyclic },
      'API contract: putReceipt: body is <ref *1> { self: [Circular *1] }; expected JSON',
    ],
    [
      'putReceipt',
      { body: order },
      'API contract: putReceipt: paymentId is undefined; expected a string, a number or a boolean',
    ],
    [
      'listReceipts',
      { query: { tag: [{}] } },
      'API contract: listReceipts: tag is {}; expected a string, a number or a boolean',
    ],
    [
      'listReceipts',
      { query: { page: null } },
      'API contract: listReceipts: page is null; expected a string, a number or a boolean',
    ],
  ]
  for (const [operation, input, message] of wrong)
    await t.rejects(call(operation, input), { code: 'API_CONTRACT_INVALID_CALL', message }, message)
  for (const operation of ['getReceipt', 'toString'])
    await t.rejects(call(operation, { params }), {
      code: 'API_CONTRACT_INVALID',
      message: `API contract: operation is '${operation}'; expected putReceipt, listReceipts`,
    })
  t.equal(sent, 0)
})

t.test('sends headers and signal, and lets callers replace accept', async t => {
  let received: object = {}
  const client: Client = {
    async request(options) {
      received = options
      return { statusCode: 204, headers: {}, body: nothing() }
    },
  }
  const { signal } = new AbortController()
  await receiptsApi
    .pick('deleteReceipt')
    .over(client)
    .call('deleteReceipt', {
      params: { paymentId: '1' },
      headers: { Accept: 'text/plain', 'X-Trace': '1' },
      signal,
    })
  t.strictSame(received, {
    method: 'DELETE',
    path: '/receipts/1',
    headers: { accept: 'text/plain', 'x-trace': '1' },
    signal,
  })
})
