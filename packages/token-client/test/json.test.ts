import { inspect } from 'node:util'
import fastify from 'fastify'
import t, { type Test } from 'tap'
import { Type } from 'typebox'
import { createTokenClient, UnexpectedStatusError, type TokenClient } from 'fastify-token-client'

const Receipt = Type.Object({ number: Type.String(), cents: Type.Integer() })
const Problem = Type.Object({ title: Type.String() })

/** The client's clock stands still, far from the machine's. */
const now = Date.UTC(2001, 1, 3, 4, 5, 6)

async function start(t: Test): Promise<TokenClient> {
  const api = fastify()
  api.post('/token', async () => ({ access_token: 'abc', token_type: 'Bearer', expires_in: 60 }))
  api.addContentTypeParser('application/x-www-form-urlencoded', (_, body, done) => done(null, body.resume()))
  api.get('/receipts/1', async () => ({ number: 'HQ-1', cents: 2190 }))
  api.get('/receipts/2', async (_, reply) => reply.code(404).send({ title: 'no such receipt' }))
  api.get('/receipts/3', async () => ({ number: 3, cents: 'very secret' }))
  api.get('/receipts/4', async (_, reply) => reply.code(418).send({ title: 'a teapot' }))
  api.get('/busy', async (request, reply) =>
    reply
      .code(503)
      .headers({
        'retry-after': (request.query as { when: string }).when,
        'set-cookie': 'session=very-secret',
      })
      .send({ title: 'busy' }),
  )
  api.get('/text', async () => 'no JSON')
  api.get('/headers', async ({ raw }) => raw.rawHeaders.filter((_, index) => index % 2 === 0))
  api.get('/search', async request => request.query)
  api.all('/echo', async (request, reply) =>
    request.method === 'DELETE' ? reply.code(204).send() : { method: request.method, body: request.body },
  )
  t.teardown(() => api.close())
  const baseUrl = await api.listen({ host: '127.0.0.1', port: 0 })
  const client = createTokenClient({
    baseUrl,
    tokenEndpoint: `${baseUrl}/token`,
    clientId: 'payment',
    clientSecret: 'x',
    clock: () => now,
  })
  t.teardown(() => client.close())
  return client
}

t.test('the status determines the type of the body', async t => {
  const client = await start(t)
  const response = { 200: Receipt, 404: Problem }
  const found = await client.get('/receipts/1', { response })
  if (found.status === 200) {
    const cents: number = found.body.cents
    t.equal(cents, 2190)
    // @ts-expect-error a receipt has no title
    t.equal(found.body.title, undefined)
  } else {
    const title: string = found.body.title
    t.fail(title)
  }
  // @ts-expect-error no other status is expected
  t.notOk(found.status === 500)
  const missing = await client.get('/receipts/2', { response })
  t.match(missing, { status: 404, body: { title: 'no such receipt' } })
})

t.test('the error for an invalid body names paths, not values', async t => {
  const client = await start(t)
  const failure = await client
    .get('/receipts/3', { response: { 200: Receipt } })
    .catch((error: unknown) => error)
  t.match(failure, { code: 'TOKEN_CLIENT_UNEXPECTED_BODY', statusCode: 502, detail: /\/number/ })
  t.notMatch(String(failure), /very secret/)
  await t.rejects(client.get('/text'), { code: 'TOKEN_CLIENT_UNEXPECTED_BODY' })
})

t.test('an unexpected status is an error', async t => {
  const client = await start(t)
  const failure = await client.get('/receipts/4').catch((error: unknown) => error)
  t.match(failure, { code: 'TOKEN_CLIENT_UNEXPECTED_STATUS', statusCode: 502, status: 418, body: /teapot/ })
  t.notMatch(JSON.stringify(failure) + String(failure), /teapot/, 'what it said is kept out of logs')
  await t.rejects(client.get('/receipts/2', { response: { 200: Receipt } }), { status: 404 } as never)
})

const waits: Record<string, number | undefined> = {
  '7': 7_000,
  [new Date(now + 90_000).toUTCString()]: 90_000,
  // As long as the API wants, and a timer can wait: `setTimeout` takes more for 1 ms.
  '3600': 3_600_000,
  ['9'.repeat(30)]: 2 ** 31 - 1,
  ['9'.repeat(400)]: 2 ** 31 - 1,
  'Fri, 31 Dec 9999 23:59:59 GMT': 2 ** 31 - 1,
  [new Date(now - 90_000).toUTCString()]: undefined,
  '-1': undefined,
  '1e3': undefined,
  soon: undefined,
  [new Date(now + 90_000).toISOString()]: undefined,
}

for (const [when, retryAfterMs] of Object.entries(waits))
  t.test(`an API that responds with Retry-After: ${when.slice(0, 40)}`, async t => {
    const client = await start(t)
    const failure = await client
      .get('/busy', { query: { when } })
      .catch((error: unknown) => error as UnexpectedStatusError)
    t.ok(failure instanceof UnexpectedStatusError)
    t.match(failure, { status: 503, retryAfterMs, responseHeaders: { 'retry-after': when } })
  })

t.test('the headers of an unexpected response reach the calling code, but not its caller', async t => {
  const client = await start(t)
  let logged = ''
  const app = fastify({ logger: { level: 'info', stream: { write: line => void (logged += line) } } })
  t.teardown(() => app.close())
  let failure: unknown
  app.get('/', async () =>
    client.get('/busy', { query: { when: '7' } }).catch((error: unknown) => {
      failure = error
      throw error
    }),
  )
  const answer = await app.inject('/')
  t.match(failure, { responseHeaders: { 'set-cookie': 'session=very-secret' } })
  t.match(answer, { statusCode: 502, headers: { 'set-cookie': undefined, 'retry-after': undefined } })
  t.match(logged, 'TOKEN_CLIENT_UNEXPECTED_STATUS')
  t.match(logged, '"retryAfterMs":7000')
  for (const text of [logged, answer.body, inspect(failure, { depth: 5 }), JSON.stringify(failure)])
    t.notMatch(text, /very-secret/)
})

t.test('each method sends JSON', async t => {
  const client = await start(t)
  for (const method of ['post', 'put', 'patch'] as const)
    t.strictSame((await client[method]('/echo', { json: { title: 'a book' } })).body, {
      method: method.toUpperCase(),
      body: { title: 'a book' },
    })
  t.match(await client.delete('/echo'), { status: 204, body: undefined })
})

t.test('a header of the caller replaces the default', async t => {
  const client = await start(t)
  const { body } = await client.get('/headers', { headers: { Accept: 'application/problem+json' } })
  t.equal((body as string[]).filter(name => name.toLowerCase() === 'accept').length, 1)
})

t.test('the query is appended to the path', async t => {
  const client = await start(t)
  const { body } = await client.get('/search?page=1', {
    query: { title: 'A & B', limit: 5, none: undefined },
  })
  t.strictSame(body, { page: '1', title: 'A & B', limit: '5' })
})
