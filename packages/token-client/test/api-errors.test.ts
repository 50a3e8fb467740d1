import { inspect } from 'node:util'
import fastify from 'fastify'
import t from 'tap'
import {
  UnexpectedBodyError,
  UnexpectedStatusError,
  type InterceptorOptions,
  type TokenClient,
} from 'fastify-token-client'
import { clientOf, startApi } from './calling.js'
import { startTokenEndpoint } from './token-endpoint.js'

const calls: Record<string, (client: TokenClient) => Promise<unknown>> = {
  request: client => client.request({ path: '/receipts?of=ada' }),
  fetch: client => client.fetch('/receipts?of=ada'),
  get: client => client.get('/receipts?of=ada'),
  stream: client => client.stream({ path: '/receipts?of=ada' }, () => process.stdout),
}

const failing: [string, InterceptorOptions, number][] = [
  ['responseError', { responseError: true }, 401],
  ['responseError', { responseError: true }, 404],
  ['responseError', { responseError: true }, 503],
  ['retry', { retry: { maxRetries: 1, minTimeout: 1, maxTimeout: 1 } }, 503],
]

for (const [name, interceptors, status] of failing)
  for (const [how, call] of Object.entries(calls))
    t.test(
      `${name}, ${how}: the content of a ${status} reaches neither the external caller nor the log`,
      async t => {
        const endpoint = await startTokenEndpoint(t)
        const api = await startApi(t, (_, response) =>
          response
            .writeHead(status, {
              'content-type': 'application/json',
              'set-cookie': 'session=very-secret',
              'retry-after': '0',
            })
            .end('{"title":"very-secret"}'),
        )
        const client = clientOf(t, endpoint, api.url, { interceptors })
        let logged = ''
        const app = fastify({ logger: { level: 'info', stream: { write: line => void (logged += line) } } })
        t.teardown(() => app.close())
        let failure: unknown
        app.get('/', async () =>
          call(client).catch((error: unknown) => {
            failure = error
            throw error
          }),
        )
        const answer = await app.inject('/')
        t.ok(failure instanceof UnexpectedStatusError)
        t.match(failure, {
          status,
          message: 'The upstream API responded with an unexpected status',
          detail: `GET /receipts: the API responded with ${status}`,
          responseHeaders: { 'set-cookie': 'session=very-secret' },
          retryAfterMs: 0,
          body: name === 'retry' ? '' : '{"title":"very-secret"}',
        })
        t.match(answer, { statusCode: 502, headers: { 'set-cookie': undefined, 'retry-after': undefined } })
        t.match(logged, 'TOKEN_CLIENT_UNEXPECTED_STATUS')
        for (const text of [logged, answer.body, inspect(failure, { depth: 5 }), JSON.stringify(failure)])
          t.notMatch(text, /very-secret|ada/)
      },
    )

t.test('retry: a response that resumes with different content is an error', async t => {
  const endpoint = await startTokenEndpoint(t)
  const api = await startApi(t, ({ headers }, response) => {
    const range = headers.range === undefined ? {} : { 'content-range': 'bytes 1-3/4' }
    response.writeHead(headers.range === undefined ? 200 : 206, {
      'set-cookie': 'session=very-secret',
      'content-length': '4',
      etag: headers.range === undefined ? '"first"' : '"second"',
      ...range,
    })
    response.write('h', () => response.destroy())
  })
  const interceptors = { retry: { maxRetries: 1, minTimeout: 1, maxTimeout: 1 } }
  const { body } = await clientOf(t, endpoint, api.url, { interceptors }).request({ path: '/receipts' })
  const failure = await body.text().catch((error: unknown) => error)
  t.ok(failure instanceof UnexpectedBodyError)
  t.match(failure, { statusCode: 502, detail: /GET \/receipts: ETag mismatch/ })
  t.notMatch(inspect(failure), /very-secret/)
})

t.test('errors without a response of the API remain errors of undici', async t => {
  const endpoint = await startTokenEndpoint(t)
  const api = await startApi(t, ({ socket }) => void socket.destroy())
  const client = clientOf(t, endpoint, api.url, { interceptors: { responseError: true } })
  await t.rejects(client.request({ path: '/' }), { code: 'UND_ERR_SOCKET' })
})
