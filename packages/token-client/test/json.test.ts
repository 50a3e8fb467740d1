import fastify from 'fastify'
import t, { type Test } from 'tap'
import { Type } from 'typebox'
import { createTokenClient, type TokenClient } from 'fastify-token-client'

const Receipt = Type.Object({ number: Type.String(), cents: Type.Integer() })
const Problem = Type.Object({ title: Type.String() })

async function start(t: Test): Promise<TokenClient> {
  const api = fastify()
  api.post('/token', async () => ({ access_token: 'abc', token_type: 'Bearer', expires_in: 60 }))
  api.addContentTypeParser('application/x-www-form-urlencoded', (_, body, done) => done(null, body.resume()))
  api.get('/receipts/1', async () => ({ number: 'HQ-1', cents: 2190 }))
  api.get('/receipts/2', async (_, reply) => reply.code(404).send({ title: 'no such receipt' }))
  api.get('/receipts/3', async () => ({ number: 3, cents: 'very secret' }))
  api.get('/receipts/4', async (_, reply) => reply.code(418).send({ title: 'a teapot' }))
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
  })
  t.teardown(() => client.close())
  return client
}

t.test('the status tells the type of the body', async t => {
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

t.test('a body that does not fit is an error that names paths, and not values', async t => {
  const client = await start(t)
  const failure = await client
    .get('/receipts/3', { response: { 200: Receipt } })
    .catch((error: unknown) => error)
  t.match(failure, { code: 'TOKEN_CLIENT_UNEXPECTED_BODY', statusCode: 502, message: /\/number/ })
  t.notMatch(String(failure), /very secret/)
  await t.rejects(client.get('/text'), { code: 'TOKEN_CLIENT_UNEXPECTED_BODY' })
})

t.test('a status that was not expected is an error', async t => {
  const client = await start(t)
  const failure = await client.get('/receipts/4').catch((error: unknown) => error)
  t.match(failure, { code: 'TOKEN_CLIENT_UNEXPECTED_STATUS', statusCode: 502, status: 418, body: /teapot/ })
  t.notMatch(JSON.stringify(failure) + String(failure), /teapot/, 'what it said is kept out of logs')
  await t.rejects(client.get('/receipts/2', { response: { 200: Receipt } }), { status: 404 } as never)
})

t.test('sends JSON by each method', async t => {
  const client = await start(t)
  for (const method of ['post', 'put', 'patch'] as const)
    t.strictSame((await client[method]('/echo', { json: { title: 'a book' } })).body, {
      method: method.toUpperCase(),
      body: { title: 'a book' },
    })
  t.match(await client.delete('/echo'), { status: 204, body: undefined })
})

t.test('a header of the caller takes the place of ours', async t => {
  const client = await start(t)
  const { body } = await client.get('/headers', { headers: { Accept: 'application/problem+json' } })
  t.equal((body as string[]).filter(name => name.toLowerCase() === 'accept').length, 1)
})

t.test('puts the query behind the path', async t => {
  const client = await start(t)
  const { body } = await client.get('/search?page=1', {
    query: { title: 'A & B', limit: 5, none: undefined },
  })
  t.strictSame(body, { page: '1', title: 'A & B', limit: '5' })
})
