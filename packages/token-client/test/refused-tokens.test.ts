import { AsyncLocalStorage } from 'node:async_hooks'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import t from 'tap'
import { Agent, MockAgent, type Dispatcher } from 'undici'
import type { TokenClient } from 'fastify-token-client'
import { clientOf, ok, startApi } from './calling.js'
import { json, startTokenEndpoint } from './token-endpoint.js'

/** A call, and what came of it. */
type Way = (client: TokenClient, signal?: AbortSignal) => Promise<{ status: number; text: string }>

const read = async ({ statusCode, body }: Dispatcher.ResponseData): ReturnType<Way> => ({
  status: statusCode,
  text: await body.text(),
})

/** The ways a call can take to the API: whichever it is, a 401 is dealt with alike. */
const ways: Readonly<Record<string, Way>> = {
  'a plain request': async (client, signal) =>
    read(await client.request({ path: '/', ...(signal && { signal }) })),
  'a request with a stream': async (client, signal) =>
    read(
      await client.request({
        path: '/',
        method: 'POST',
        headers: { 'content-length': '4' },
        body: Readable.from([Buffer.from('paid')]),
        ...(signal && { signal }),
      }),
    ),
  fetch: async (client, signal) => {
    const answer = await client.fetch('/', signal && { signal })
    return { status: answer.status, text: await answer.text() }
  },
}

t.test('a 403 discards no token', async t => {
  const endpoint = await startTokenEndpoint(t)
  const api = await startApi(t, (_, response) => void response.writeHead(403).end())
  const client = clientOf(t, endpoint, api.url)
  t.equal((await client.request({ path: '/' })).statusCode, 403)
  t.equal(api.seen.length, 1)
  t.equal(endpoint.requests.length, 1)
})

for (const [way, send] of Object.entries(ways)) {
  t.test(
    `${way}: an API that always responds with 401 receives two requests for the first call, then one for each`,
    async t => {
      const endpoint = await startTokenEndpoint(t)
      const api = await startApi(t, (_, response) => void response.writeHead(401).end('no'))
      const client = clientOf(t, endpoint, api.url)
      const refused: boolean[] = []
      const note = (event: unknown): void => void refused.push((event as { replayed: boolean }).replayed)
      subscribe('fastify-token-client:refused', note)
      t.teardown(() => unsubscribe('fastify-token-client:refused', note))
      for (let call = 0; call < 20; call += 1) t.strictSame(await send(client), { status: 401, text: 'no' })
      t.equal(api.seen.length, 21)
      t.equal(endpoint.requests.length, 2)
      t.strictSame(refused, [true, ...Array.from({ length: 20 }, () => false)])
    },
  )

  t.test(`${way}: a refused token that worked is renewed immediately`, async t => {
    const endpoint = await startTokenEndpoint(t)
    let valid = 1
    const api = await startApi(t, (request, response) => {
      response.writeHead(request.headers.authorization === `Bearer token-${valid}` ? 200 : 401).end()
    })
    const client = clientOf(t, endpoint, api.url, { clock: () => 1_700_000_000_000 })
    t.equal((await send(client)).status, 200)
    for (valid = 2; valid <= 5; valid += 1) t.equal((await send(client)).status, 200, `rotation ${valid - 1}`)
    t.equal(endpoint.requests.length, 5)
  })

  t.test(`${way}: an API that always responds with 401 causes one token request in 10 s`, async t => {
    const endpoint = await startTokenEndpoint(t)
    const api = await startApi(t, (_, response) => void response.writeHead(401).end())
    let now = 1_700_000_000_000
    const client = clientOf(t, endpoint, api.url, { clock: () => now })
    for (let second = 0; second < 35; second += 1, now += 1_000) await send(client)
    t.equal(endpoint.requests.length, 1 + 4, 'the first token, and one after 0, 10, 20 and 30 s')
  })

  t.test(`${way}: a single route that always responds with 401 does not flood the server`, async t => {
    const endpoint = await startTokenEndpoint(t)
    let calls = 0
    const api = await startApi(t, (_, response) => {
      // Every other call goes to a route that works.
      response.writeHead(calls % 2 === 0 ? 200 : 401).end()
    })
    const client = clientOf(t, endpoint, api.url, { clock: () => 1_700_000_000_000 })
    for (; calls < 60; calls += 1) await send(client)
    t.ok(endpoint.requests.length <= 11, `${endpoint.requests.length} token requests`)
  })

  t.test(`${way}: concurrent 401 responses renew the token once`, async t => {
    const endpoint = await startTokenEndpoint(t)
    const api = await startApi(t, (request, response) => {
      response.writeHead(request.headers.authorization === 'Bearer token-1' ? 401 : 200).end()
    })
    const client = clientOf(t, endpoint, api.url)
    const answers = await Promise.all(Array.from({ length: 50 }, () => send(client)))
    t.ok(answers.every(({ status }) => status === 200))
    t.equal(endpoint.requests.length, 2)
  })

  t.test(`${way}: without a different token, the complete 401 is delivered`, async t => {
    const endpoint = await startTokenEndpoint(t)
    const api = await startApi(t, (_, response) => void response.writeHead(401).end('no, and why'))
    const client = clientOf(t, endpoint, api.url)
    await client.getToken()
    endpoint.behave = response => void response.writeHead(503).end()
    t.strictSame(await send(client), { status: 401, text: 'no, and why' })
    endpoint.behave = response => json(response, 200, { access_token: 'token-1', token_type: 'Bearer' })
    const same = clientOf(t, endpoint, api.url)
    t.strictSame(await send(same), { status: 401, text: 'no, and why' }, 'nor where it is the same one')
    t.equal(api.seen.length, 2)
  })

  t.test(`${way}: an abort during the wait for another token ends only its own call`, async t => {
    const endpoint = await startTokenEndpoint(t)
    const api = await startApi(t, ({ headers }, response) => {
      response.writeHead(headers.authorization === 'Bearer token-1' ? 401 : 200).end('x'.repeat(100_000))
    })
    const client = clientOf(t, endpoint, api.url)
    await client.getToken()
    const { behave } = endpoint
    const answerLater = new Promise<() => void>(resolve => {
      endpoint.behave = (response, request) => resolve(() => behave(response, request))
    })
    const caller = new AbortController()
    const call = send(client, caller.signal)
    const other = send(client)
    const answer = await answerLater
    caller.abort(new Error('enough'))
    await t.rejects(call, { message: 'enough' })
    answer()
    t.match(await other, { status: 200 })
    t.equal(api.seen.length, 3)
    await t.rejects(send(client, caller.signal), { message: 'enough' })
    t.equal(api.seen.length, 3, 'after an abort nothing is sent')
  })

  t.test(`${way}: a call is sent again before the 401's body is complete`, async t => {
    const endpoint = await startTokenEndpoint(t)
    const letGo: Promise<unknown>[] = []
    const api = await startApi(t, (request, response) => {
      if (request.headers.authorization !== 'Bearer token-1') return ok(request, response)
      letGo.push(once(response, 'close'))
      response.writeHead(401).write('no, because')
    })
    // One connection: a replay goes out when the 401 is let go of.
    const dispatcher = new Agent({ connections: 1 })
    t.teardown(() => dispatcher.close())
    const client = clientOf(t, endpoint, api.url, { dispatcher })
    t.strictSame(await send(client), { status: 200, text: 'ok' })
    await Promise.all(letGo)
    t.equal(letGo.length, 1)
  })

  t.test(`${way}: a complete 401 leaves its connection open`, async t => {
    const endpoint = await startTokenEndpoint(t)
    const sockets = new Set<unknown>()
    const api = await startApi(t, (request, response) => {
      sockets.add(request.socket)
      if (request.headers.authorization === 'Bearer token-1') response.statusCode = 401
      response.end('x'.repeat(10_000))
    })
    t.match(await send(clientOf(t, endpoint, api.url)), { status: 200 })
    t.strictSame([api.seen.length, sockets.size], [2, 1])
  })

  t.test(`${way}: a 401 with an endless body is discarded, and the call is sent again`, async t => {
    const endpoint = await startTokenEndpoint(t)
    const api = await startApi(t, (request, response) => {
      if (request.headers.authorization !== 'Bearer token-1') return ok(request, response)
      response.writeHead(401)
      const chunk = Buffer.alloc(32_768)
      const more = (): void => {
        while (!response.destroyed && response.write(chunk));
        response.once('drain', more)
      }
      more()
    })
    t.strictSame(await send(clientOf(t, endpoint, api.url)), { status: 200, text: 'ok' })
  })
}

t.test('a repeated call and its token request run in the caller’s async context', async t => {
  const endpoint = await startTokenEndpoint(t)
  const api = await startApi(t, ({ headers }, response) => {
    response.writeHead(headers.authorization === 'Bearer token-1' ? 401 : 200).end()
  })
  // One connection, which the first call opens: what comes in on it comes in that call's context.
  const agent = new Agent({ connections: 1 })
  t.teardown(() => agent.close())
  const client = clientOf(t, endpoint, api.url, { dispatcher: agent })
  const callers = new AsyncLocalStorage<string>()
  const asked: string[] = []
  const note = (event: unknown): void => {
    const { request } = event as { request: { method: string; path: string } }
    asked.push(`${callers.getStore()}: ${request.method} ${request.path}`)
  }
  await callers.run('first', async () =>
    agent.request({ origin: api.url, path: '/', method: 'GET' }).then(({ body }) => body.dump()),
  )
  subscribe('undici:request:create', note)
  t.teardown(() => unsubscribe('undici:request:create', note))
  const { statusCode, body } = await callers.run('second', () => client.request({ path: '/' }))
  await body.dump()
  t.equal(statusCode, 200)
  t.strictSame(asked, ['second: POST /token', 'second: GET /', 'second: POST /token', 'second: GET /'])
})

t.test('an informational response before the 401 has no effect', async t => {
  const endpoint = await startTokenEndpoint(t)
  const api = await startApi(t, (request, response) => {
    response.writeEarlyHints({ link: '</style.css>; rel=preload' }, () =>
      response.writeHead(request.headers.authorization === 'Bearer token-1' ? 401 : 200).end(),
    )
  })
  t.equal((await clientOf(t, endpoint, api.url).request({ path: '/' })).statusCode, 200)
})

t.test('a 401 is buffered even if the dispatcher does not pause, such as MockAgent', async t => {
  const endpoint = await startTokenEndpoint(t)
  const mock = new MockAgent()
  mock.disableNetConnect()
  t.teardown(() => mock.close())
  const origin = 'https://receipts.example.com'
  // One token for each: a client asks for no other while the last one is young.
  const client = (): TokenClient => clientOf(t, endpoint, origin, { dispatcher: mock })
  const refuseOnce = (method: string): void => {
    mock.get(origin).intercept({ path: '/', method }).reply(401, 'no')
    mock.get(origin).intercept({ path: '/', method }).reply(200, 'yes')
  }
  refuseOnce('POST')
  const { body: answer } = await client().request({ path: '/', method: 'POST', body: 'paid' })
  t.equal(await answer.text(), 'yes')
  refuseOnce('GET')
  t.equal(await (await client().fetch('/')).text(), 'yes')
  const unlucky = client()
  await unlucky.getToken()
  endpoint.behave = response => void response.writeHead(503).end()
  mock.get(origin).intercept({ path: '/' }).reply(401, 'no, and why')
  const { statusCode, body } = await unlucky.request({ path: '/' })
  t.strictSame(
    [statusCode, await body.text()],
    [401, 'no, and why'],
    'delivers the complete 401 if there is no other token',
  )
})

t.test('after an abort during the wait for another token, the handler gets no more calls', async t => {
  const endpoint = await startTokenEndpoint(t)
  const api = await startApi(t, (_, response) => void response.writeHead(401).end('no'))
  const client = clientOf(t, endpoint, api.url)
  await client.getToken()
  const heard: string[] = []
  let refused: ServerResponse | undefined
  const asked = new Promise<void>(resolve => {
    endpoint.behave = response => {
      refused = response
      resolve()
    }
  })
  let call: { abort(reason: Error): void } | undefined
  const ended = new Promise<void>(resolve => {
    client.dispatcher.dispatch(
      { origin: api.url, path: '/', method: 'GET' },
      {
        onRequestStart(controller) {
          call = controller
        },
        onResponseStart: () => void heard.push('start'),
        onResponseData: () => void heard.push('data'),
        onResponseEnd: () => void heard.push('end'),
        onResponseError(_, error) {
          heard.push(error.message)
          resolve()
        },
      },
    )
  })
  await asked
  call?.abort(new Error('enough'))
  await ended
  refused?.writeHead(503).end()
  await t.rejects(client.getToken())
  await new Promise(resolve => setImmediate(resolve))
  t.strictSame(heard, ['enough'])
})
