import { setImmediate as nextTick } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fastify from 'fastify'
import t from 'tap'
import tokenClient, { type TokenClient } from 'fastify-token-client'
import { json, startTokenEndpoint, tokens, type Behaviour, type HandMadeEndpoint } from './token-endpoint.js'
import { clientOf, start } from './standing-clock.js'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** What is still held, once what was told of its end by the garbage collector has had its turn. */
async function used(): Promise<number> {
  collectGarbage()
  await nextTick()
  collectGarbage()
  return process.memoryUsage().heapUsed
}

t.test('500 concurrent calls without a cached token cause one token request', async t => {
  const endpoint = await startTokenEndpoint(t)
  const { client } = clientOf(t, endpoint)
  const tokens = await Promise.all(Array.from({ length: 500 }, () => client.getToken()))
  t.equal(endpoint.requests.length, 1)
  t.equal(new Set(tokens).size, 1)
})

/** Lets the endpoint wait with its answer: resolves with what sends it, once it was asked. */
function heldBack(endpoint: HandMadeEndpoint, behave: Behaviour): Promise<() => void> {
  return new Promise(resolve => {
    endpoint.behave = (response, request) => resolve(() => behave(response, request))
  })
}

t.test('getToken: an abort ends only the wait of its own call', async t => {
  const endpoint = await startTokenEndpoint(t)
  const answered = heldBack(endpoint, tokens())
  const { client } = clientOf(t, endpoint)
  const caller = new AbortController()
  const { signal } = caller
  const impatient = client.getToken({ signal })
  const patient = client.getToken({ signal: new AbortController().signal })
  const answerNow = await answered
  caller.abort(new Error('enough'))
  await t.rejects(impatient, /enough/)
  answerNow()
  const token = await patient
  t.equal(token.accessToken, 'token-1')
  t.equal(endpoint.requests.length, 1, 'the one request goes on')
  t.equal(await client.getToken({ signal: AbortSignal.timeout(60_000) }), token)
  await t.rejects(client.getToken({ signal }), /enough/, 'also while a token is at hand, as fetch does')
})

t.test('getToken: an aborted signal causes no token request', async t => {
  const endpoint = await startTokenEndpoint(t)
  const { client } = clientOf(t, endpoint)
  await t.rejects(client.getToken({ signal: AbortSignal.abort() }), { name: 'AbortError' })
  await nextTick()
  t.equal(client.peekToken(), undefined)
  t.equal(endpoint.requests.length, 0)
})

t.test('getToken: a failure after the abort is not an unhandled rejection', async t => {
  const endpoint = await startTokenEndpoint(t)
  const answered = heldBack(endpoint, response => void response.writeHead(500).end())
  const { client } = clientOf(t, endpoint)
  const caller = new AbortController()
  const impatient = client.getToken({ signal: caller.signal })
  const others = client.getToken({ signal: new AbortController().signal })
  const failNow = await answered
  caller.abort()
  failNow()
  await t.rejects(impatient, { name: 'AbortError' })
  await t.rejects(others, { code: 'TOKEN_CLIENT_UNAVAILABLE' }, 'and who waits on is told')
})

t.test('tokens on behalf of many callers are requested in parallel, up to a limit', async t => {
  const waiting: (() => void)[] = []
  const answer = tokens()
  let atOnce = 0
  const endpoint = await startTokenEndpoint(t, (response, request) => {
    waiting.push(() => answer(response, request))
    atOnce = Math.max(atOnce, waiting.length)
    if (waiting.length >= 16) for (const answerNow of waiting.splice(0)) answerNow()
  })
  const { client } = clientOf(t, endpoint)
  const subjects = Array.from({ length: 64 }, (_, index) => `caller-${index}`)
  const got = await Promise.all(subjects.map(subject => client.onBehalfOf(subject).getToken()))
  t.equal(new Set(got.map(({ accessToken }) => accessToken)).size, 64)
  t.equal(atOnce, 16)
})

t.test('a server that returns the same token again causes no loop of token requests', async t => {
  const endpoint = await startTokenEndpoint(t, response =>
    json(response, 200, { access_token: 'always-the-same', token_type: 'Bearer', expires_in: 60 }),
  )
  const { client, clock } = clientOf(t, endpoint)
  const first = await client.getToken()
  for (let call = 0; call < 100; call += 1) client.invalidate(await client.getToken())
  t.ok(endpoint.requests.length <= 2, `${endpoint.requests.length} requests`)
  t.equal((await client.getToken()).accessToken, first.accessToken)
  clock.now += 11_000
  client.invalidate(await client.getToken())
  await client.getToken()
  t.ok(endpoint.requests.length <= 3)
})

t.test('only the token that was refused is discarded', async t => {
  const endpoint = await startTokenEndpoint(t)
  const { client } = clientOf(t, endpoint)
  const first = await client.getToken()
  client.invalidate(first)
  const second = await client.getToken()
  client.invalidate(first)
  t.equal(await client.getToken(), second, 'a late 401 for the old one changes nothing')
})

t.test('100,000 calls do not leak memory', async t => {
  const endpoint = await startTokenEndpoint(t, tokens(10_000_000))
  const { client } = clientOf(t, endpoint)
  await client.getToken()
  const run = client.interceptor()((request, handler) => {
    void request
    handler.onResponseStart?.(controller, 200, {}, 'OK')
    handler.onResponseEnd?.(controller, {})
    return true
  })
  const controller = {
    pause() {},
    resume() {},
    abort() {},
    paused: false,
    aborted: false,
    reason: null,
    rawHeaders: null,
    rawTrailers: null,
  }
  const call = (): boolean => run({ origin: 'https://receipts.example.com', path: '/', method: 'GET' }, {})
  for (let calls = 0; calls < 20_000; calls += 1) call()
  const before = await used()
  for (let calls = 0; calls < 100_000; calls += 1) call()
  const grown = (await used()) - before
  t.ok(grown < 2 * 1024 * 1024, `${grown} bytes`)
})

t.test('a closing application renews no token in the background, and waits for running calls', async t => {
  const endpoint = await startTokenEndpoint(t)
  let now = start
  let answer: (() => void) | undefined
  const api = fastify()
  api.get('/', () => new Promise(resolve => (answer = () => resolve('at last'))))
  t.teardown(() => api.close())
  const app = fastify()
  await app.register(tokenClient, {
    name: 'receipts',
    baseUrl: await api.listen({ host: '127.0.0.1', port: 0 }),
    tokenEndpoint: endpoint.url,
    clientId: 'payment',
    clientSecret: 'the secret',
    clock: () => now,
    prefetch: 'lazy',
  })
  await app.ready()
  const { receipts } = app as unknown as { receipts: TokenClient }
  const running = receipts.request({ path: '/' })
  while (answer === undefined) await nextTick()
  now += 50_000
  const closed = app.close()
  await nextTick()
  receipts.getToken().catch(() => {})
  answer()
  t.equal(await (await running).body.text(), 'at last')
  await closed
  t.equal(endpoint.requests.length, 1, 'a renewal was due, and none was made')
  await t.rejects(receipts.request({ path: '/' }), 'what is closed is closed')
})
