import { setImmediate as nextTick } from 'node:timers/promises'
import { inspect } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fastify from 'fastify'
import t, { type Test } from 'tap'
import tokenClient, {
  createTokenClient,
  type TokenClient,
  type TokenClientOptions,
} from 'fastify-token-client'
import { createTokenSource } from '#src/acquire/token-source.js'
import { schedule } from '#src/token.js'
import type { TokenAnswer } from '#src/acquire/request-token.js'
import { json, startTokenEndpoint, tokens, type Behaviour, type HandMadeEndpoint } from './token-endpoint.js'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** What is still held, once what was told of its end by the garbage collector has had its turn. */
async function used(): Promise<number> {
  collectGarbage()
  await nextTick()
  collectGarbage()
  return process.memoryUsage().heapUsed
}

const start = 1_700_000_000_000

/** A client whose clock stands still until it is moved, and that has no luck: `random` is 0. */
function clientOf(
  t: Test,
  { url }: HandMadeEndpoint,
  more: Partial<TokenClientOptions> = {},
): { client: TokenClient; clock: { now: number } } {
  const clock = { now: start }
  const client = createTokenClient({
    baseUrl: 'https://receipts.example.com',
    tokenEndpoint: url,
    clientId: 'payment',
    clientSecret: 'the secret',
    clock: () => clock.now,
    random: () => 0,
    ...more,
  })
  t.teardown(() => client.close())
  return { client, clock }
}

t.test('500 cold calls at once make one token request', async t => {
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

t.test('getToken: who gives up ends only its own wait', async t => {
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

t.test('getToken: who has given up already asks for nothing', async t => {
  const endpoint = await startTokenEndpoint(t)
  const { client } = clientOf(t, endpoint)
  await t.rejects(client.getToken({ signal: AbortSignal.abort() }), { name: 'AbortError' })
  await nextTick()
  t.equal(client.peekToken(), undefined)
  t.equal(endpoint.requests.length, 0)
})

t.test('getToken: a failure that comes after its caller has gone troubles nobody', async t => {
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

t.test('tokens on behalf of many callers are asked for side by side, in bounded number', async t => {
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

t.test('a token is renewed ahead of its end, in the background, once', async t => {
  const endpoint = await startTokenEndpoint(t)
  const { client, clock } = clientOf(t, endpoint)
  const first = await client.getToken()
  clock.now = start + 47_999
  t.equal(await client.getToken(), first)
  t.equal(endpoint.requests.length, 1, 'not before 80 % of its life')
  clock.now = start + 48_000
  t.equal(
    (await Promise.all(Array.from({ length: 10 }, () => client.getToken())))[9],
    first,
    'the old one goes on',
  )
  while (client.peekToken() === first) await nextTick()
  t.equal(endpoint.requests.length, 2)
})

// A server that takes a second for a token: nobody waits, and nobody has an old one, however short tokens live.
for (const { expiresIn, atMost } of [
  { expiresIn: 10, atMost: 90 },
  { expiresIn: 4, atMost: 310 },
])
  t.test(
    `steady load, tokens that live ${expiresIn} s: no call waits, none carries one that has ended`,
    async t => {
      let now = start
      const answers: { at: number; resolve: () => void }[] = []
      let issued = 0
      const source = createTokenSource(
        'receipts',
        () => {
          const requestedAt = now
          return new Promise<TokenAnswer>(resolve => {
            issued += 1
            const accessToken = `token-${issued}`
            answers.push({
              at: now + 1_000,
              resolve: () => resolve({ accessToken, requestedAt, expiresIn, scope: undefined }),
            })
          })
        },
        { renewAfter: 0.8, skewMs: 30_000 },
        { now: () => now, random: () => 0.5, isClosing: () => false, onFailure: undefined },
      )
      const release = async (): Promise<void> => {
        while (answers[0] !== undefined && answers[0].at <= now) answers.shift()?.resolve()
        for (let turn = 0; turn < 5; turn += 1) await nextTick()
      }
      const cold = source.getToken()
      now += 1_000
      await release()
      await cold
      let calls = 0
      for (; now < start + 600_000; now += 50) {
        await release()
        const token = source.getToken()
        if (token instanceof Promise) throw new Error(`a call waited at ${now - start} ms`)
        if (token.expiresAt <= now) throw new Error(`a call had a token that had ended at ${now - start} ms`)
        calls += 1
      }
      t.ok(calls > 11_000)
      t.ok(issued > 600 / expiresIn && issued < atMost, `${issued} tokens in 600 s`)
    },
  )

t.test('past its use a call waits for the one request, and an abort ends only its own wait', async t => {
  const endpoint = await startTokenEndpoint(t)
  const { client, clock } = clientOf(t, endpoint)
  const first = await client.getToken()
  clock.now = start + 60_000
  const waiting = [client.getToken(), client.getToken()]
  const aborted = client.request({ path: '/', signal: AbortSignal.abort() })
  await t.rejects(aborted, { name: 'AbortError' })
  const [one, other] = await Promise.all(waiting)
  t.equal(one, other)
  t.not(one, first)
  t.equal(endpoint.requests.length, 2)
})

const lifetimes: Record<string, { expiresIn: unknown; usableFor: number }> = {
  'an hour': { expiresIn: 3600, usableFor: 3_570_000 },
  'four seconds': { expiresIn: 4, usableFor: 3_600 },
  'a string': { expiresIn: '60', usableFor: 54_000 },
  absent: { expiresIn: undefined, usableFor: 54_000 },
  'longer than any process': { expiresIn: 1e12, usableFor: 365 * 86_400_000 - 30_000 },
}
for (const [what, { expiresIn, usableFor }] of Object.entries(lifetimes))
  t.test(`expires_in: ${what}`, async t => {
    const endpoint = await startTokenEndpoint(t, tokens(expiresIn))
    const { client } = clientOf(t, endpoint)
    const token = await client.getToken()
    t.equal(token.useUntil - start, usableFor)
    t.ok(token.renewAt <= token.useUntil && token.useUntil <= token.expiresAt)
  })

for (const expiresIn of [-5, 'soon', null, {}])
  t.test(`expires_in: ${JSON.stringify(expiresIn)} makes no loop of token requests`, async t => {
    const endpoint = await startTokenEndpoint(t, tokens(expiresIn))
    const { client } = clientOf(t, endpoint)
    for (let call = 0; call < 20; call += 1) await client.getToken().catch(() => {})
    t.ok(endpoint.requests.length <= 20)
    t.ok(
      endpoint.requests.length <= 1 || expiresIn === -5,
      `${endpoint.requests.length} requests for 20 calls`,
    )
  })

t.test('whatever a server says: renewed before it is out of use, out of use before it ends', t => {
  const lifetimes = { renewAfter: 0.8, skewMs: 30_000 }
  const stated = [undefined, Number.NaN, -1, 0, 0.5, 1, 4, 60, 3600, 1e12, Infinity]
  const took = [0, 100, 5_000, 60_000]
  const received = stated.flatMap(expiresIn =>
    took.map(tookMs => ({ requestedAt: start, expiresIn, tookMs })),
  )
  for (const answer of received)
    for (const random of [0, 0.5, 1]) {
      const { renewAt, useUntil, expiresAt } = schedule(answer, lifetimes, random)
      const inOrder = start <= renewAt && renewAt <= useUntil && useUntil <= expiresAt
      t.ok(inOrder && Number.isFinite(expiresAt), JSON.stringify({ ...answer, random }))
    }
  const { renewAt } = schedule({ requestedAt: start, expiresIn: 100, tookMs: 0 }, lifetimes, 1)
  t.equal(renewAt, start + 72_000, 'up to a tenth earlier, at random')
  t.end()
})

t.test('its life counts from when it was asked for', async t => {
  const endpoint = await startTokenEndpoint(t)
  const { client, clock } = clientOf(t, endpoint)
  const answer = endpoint.behave
  endpoint.behave = (response, request) => {
    clock.now += 5_000
    answer(response, request)
  }
  t.equal((await client.getToken()).expiresAt, start + 60_000)
})

t.test('a server that gives the same token again is not asked in a loop', async t => {
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

t.test('only the token that was refused is dropped', async t => {
  const endpoint = await startTokenEndpoint(t)
  const { client } = clientOf(t, endpoint)
  const first = await client.getToken()
  client.invalidate(first)
  const second = await client.getToken()
  client.invalidate(first)
  t.equal(await client.getToken(), second, 'a late 401 for the old one changes nothing')
})

t.test('a token prints as [redacted]', async t => {
  const endpoint = await startTokenEndpoint(t)
  const { client } = clientOf(t, endpoint)
  const token = await client.getToken()
  for (const printed of [
    inspect(token),
    JSON.stringify({ token }),
    String(token),
    inspect({ client }, { depth: 10 }),
  ])
    t.notMatch(printed, /token-1|the secret/)
  t.equal(JSON.stringify({ token }), '{"token":"[redacted]"}')
  t.equal(token.accessToken, 'token-1')
})

t.test('100,000 calls leave nothing behind', async t => {
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

t.test('an application that closes renews nothing any more, and lets running calls end', async t => {
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
    random: () => 0,
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
