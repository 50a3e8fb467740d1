import { AsyncLocalStorage } from 'node:async_hooks'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { EventEmitter, once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Readable, Writable } from 'node:stream'
import t from 'tap'
import { Agent, Client, fetch, MockAgent, Pool, type Dispatcher } from 'undici'
import { createTokenClient, type TokenClient } from 'fastify-token-client'
import { clientOf, startApi } from './calling.js'
import { json, startTokenEndpoint, tokens } from './token-endpoint.js'

const ok = (_: IncomingMessage, response: ServerResponse): void => void response.end('ok')

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

t.test('a 403 is none of the token’s business', async t => {
  const endpoint = await startTokenEndpoint(t)
  const api = await startApi(t, (_, response) => void response.writeHead(403).end())
  const client = clientOf(t, endpoint, api.url)
  t.equal((await client.request({ path: '/' })).statusCode, 403)
  t.equal(api.seen.length, 1)
  t.equal(endpoint.requests.length, 1)
})

for (const [way, send] of Object.entries(ways)) {
  t.test(
    `${way}: an API that always says 401 gets two requests at first, then one for each call`,
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

  t.test(`${way}: calls that meet the same 401 at once renew the token once`, async t => {
    const endpoint = await startTokenEndpoint(t)
    const api = await startApi(t, (request, response) => {
      response.writeHead(request.headers.authorization === 'Bearer token-1' ? 401 : 200).end()
    })
    const client = clientOf(t, endpoint, api.url)
    const answers = await Promise.all(Array.from({ length: 50 }, () => send(client)))
    t.ok(answers.every(({ status }) => status === 200))
    t.equal(endpoint.requests.length, 2)
  })

  t.test(`${way}: where there is no other token, the 401 is delivered whole`, async t => {
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

  t.test(`${way}: an abort during the wait for another token ends the call, and only that`, async t => {
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

  t.test(`${way}: a 401 whose body does not come to an end is not waited for`, async t => {
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

  t.test(`${way}: a 401 that has come to its end costs no connection`, async t => {
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

  t.test(`${way}: a 401 with an endless body is given up, and the call replayed`, async t => {
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

t.test(
  'whose call it is stays known: a replay and its token request run in the caller’s context',
  async t => {
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
  },
)

t.test('an informational answer before the 401 changes nothing', async t => {
  const endpoint = await startTokenEndpoint(t)
  const api = await startApi(t, (request, response) => {
    response.writeEarlyHints({ link: '</style.css>; rel=preload' }, () =>
      response.writeHead(request.headers.authorization === 'Bearer token-1' ? 401 : 200).end(),
    )
  })
  t.equal((await clientOf(t, endpoint, api.url).request({ path: '/' })).statusCode, 200)
})

const headers: Record<string, never> = {
  'an object': { Authorization: 'Basic theirs', 'x-own': '1' } as never,
  'a list': ['AUTHORIZATION', 'Basic theirs', 'x-own', '1'] as never,
  pairs: [
    ['authorization', 'Basic theirs'],
    ['x-own', '1'],
  ] as never,
  'a Map': new Map([
    ['authorization', 'Basic theirs'],
    ['x-own', '1'],
  ]) as never,
}
for (const [what, given] of Object.entries(headers))
  t.test(`headers as ${what}: ours replaces theirs, which stay as they are`, async t => {
    const endpoint = await startTokenEndpoint(t)
    const own: unknown[] = []
    const api = await startApi(t, (request, response) => {
      own.push(
        request.headers['x-own'],
        request.rawHeaders.filter(name => /^authorization$/i.test(name)).length,
      )
      ok(request, response)
    })
    const before = JSON.stringify(Object.entries(given))
    await clientOf(t, endpoint, api.url).request({ path: '/', headers: given })
    t.equal(api.seen[0]?.authorization, 'Bearer token-1')
    t.strictSame(own, ['1', 1])
    t.equal(JSON.stringify(Object.entries(given)), before)
  })

// Field names of RFC 9110 §5.1, all of them.
const ofObjects = ['constructor', 'toString', '__proto__']
const awkward: Record<string, unknown> = {
  'an object': Object.fromEntries(ofObjects.map(name => [name, 'kept'])),
  'an object with lists': Object.fromEntries(ofObjects.map(name => [name, ['kept']])),
  'a list': ofObjects.flatMap(name => [name, 'kept']),
  pairs: ofObjects.map(name => [name, 'kept']),
  'a Map': new Map(ofObjects.map(name => [name, 'kept'])),
}
for (const [what, given] of Object.entries(awkward))
  t.test(`headers as ${what}: names that every object has go out as well`, async t => {
    const endpoint = await startTokenEndpoint(t)
    const sent: string[] = []
    const api = await startApi(t, (request, response) => {
      sent.push(...request.rawHeaders)
      ok(request, response)
    })
    await clientOf(t, endpoint, api.url).request({ path: '/', headers: given as never })
    for (const name of ofObjects) t.equal(sent[sent.indexOf(name) + 1], 'kept', name)
    t.equal(api.seen[0]?.authorization, 'Bearer token-1')
  })

t.test('a header that is given twice goes out twice', async t => {
  const endpoint = await startTokenEndpoint(t)
  const accepted: unknown[] = []
  const api = await startApi(t, (request, response) => {
    accepted.push(request.headers.accept)
    ok(request, response)
  })
  const twice = [
    ['accept', 'application/json'],
    ['accept', 'text/plain'],
  ]
  await clientOf(t, endpoint, api.url).request({ path: '/', headers: twice as never })
  t.strictSame(accepted, ['application/json, text/plain'])
})

t.test('a redirect to another origin does not take the token along, and to the same one it does', async t => {
  const endpoint = await startTokenEndpoint(t)
  const other = await startApi(t, ok)
  const api = await startApi(t, (request, response) => {
    if (request.url === '/away') return void response.writeHead(302, { location: other.url }).end()
    if (request.url === '/near') return void response.writeHead(302, { location: '/there' }).end()
    ok(request, response)
  })
  const client = clientOf(t, endpoint, api.url, { interceptors: { redirect: { maxRedirections: 3 } } })
  await t.rejects(client.request({ path: '/away' }), { code: 'TOKEN_CLIENT_ORIGIN_NOT_ALLOWED' })
  t.equal(other.seen.length, 0)
  t.equal((await client.request({ path: '/near' })).statusCode, 200)
  t.ok(api.seen.every(({ authorization }) => authorization === 'Bearer token-1'))
  // fetch follows redirects itself, each hop through the dispatcher.
  await t.rejects(client.fetch('/away'))
  t.equal((await client.fetch('/near')).status, 200)
  t.equal(other.seen.length, 0)
})

t.test('retry gets a token for each attempt', async t => {
  const endpoint = await startTokenEndpoint(t)
  let attempts = 0
  const api = await startApi(t, (request, response) => {
    attempts += 1
    if (attempts < 3) return void response.writeHead(503).end()
    ok(request, response)
  })
  const client = clientOf(t, endpoint, api.url, { interceptors: { retry: { minTimeout: 1, maxTimeout: 1 } } })
  t.equal((await client.request({ path: '/' })).statusCode, 200)
  t.equal(attempts, 3)
})

const ask = async (view: Pick<TokenClient, 'request'>): Promise<string> =>
  (await view.request({ path: '/' })).body.text()

t.test('a cache never hands one token’s answer to another', async t => {
  const endpoint = await startTokenEndpoint(t)
  const api = await startApi(t, (request, response) => {
    response.setHeader('cache-control', 'max-age=60')
    response.setHeader('vary', 'authorization')
    response.end(request.headers.authorization)
  })
  const client = clientOf(t, endpoint, api.url, { interceptors: { cache: true, dns: true } })
  const other = client.with({ scopes: ['other'] })
  t.equal(await ask(client), 'Bearer token-1')
  t.equal(await ask(other), 'Bearer token-2')
  t.equal(await ask(client), 'Bearer token-1')
  t.equal(await ask(other), 'Bearer token-2')
})

t.test('works in Client, Pool, Agent and MockAgent, in stream and in undici’s fetch', async t => {
  const endpoint = await startTokenEndpoint(t)
  const api = await startApi(t, ok)
  for (const dispatcher of [new Client(api.url), new Pool(api.url), new Agent()]) {
    t.teardown(() => dispatcher.close())
    const client = clientOf(t, endpoint, api.url, { dispatcher })
    t.equal((await client.request({ path: '/' })).statusCode, 200)
    t.equal((await client.fetch('/')).status, 200)
    t.equal((await fetch(api.url, { dispatcher: client.dispatcher })).status, 200)
    let text = ''
    await client.stream(
      { path: '/' },
      () =>
        new Writable({
          write(chunk: Buffer, _, done) {
            text += chunk.toString()
            done()
          },
        }),
    )
    t.equal(text, 'ok')
    const composed = dispatcher.compose(client.interceptor())
    t.equal((await composed.request({ origin: api.url, path: '/', method: 'GET' })).statusCode, 200)
  }
  t.ok(api.seen.every(({ authorization }) => authorization?.startsWith('Bearer token-')))

  const mock = new MockAgent()
  mock.disableNetConnect()
  t.teardown(() => mock.close())
  mock
    .get('https://receipts.example.com')
    .intercept({ path: '/v1/receipts', headers: { authorization: /^Bearer token-/ } })
    .reply(200, 'mocked')
  const mocked = clientOf(t, endpoint, 'https://receipts.example.com/v1', { dispatcher: mock })
  t.equal(await (await mocked.request({ path: '/receipts' })).body.text(), 'mocked')
})

t.test('a dispatcher that does not pause, as MockAgent: a 401 is held back all the same', async t => {
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
    'and delivered whole, if there is no other token',
  )
})

t.test('an abort during the wait for another token is the last that the caller hears', async t => {
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

t.test('a request whose origin is not named is not sent', async t => {
  const endpoint = await startTokenEndpoint(t)
  const api = await startApi(t, ok)
  const pool = new Pool(api.url)
  t.teardown(() => pool.close())
  const composed = pool.compose(clientOf(t, endpoint, api.url).interceptor())
  await t.rejects(composed.request({ path: '/', method: 'GET' } as never), {
    code: 'TOKEN_CLIENT_ORIGIN_NOT_ALLOWED',
  })
  t.equal(api.seen.length, 0)
})

t.test('an EventEmitter will do for a signal, as with undici', async t => {
  const endpoint = await startTokenEndpoint(t, () => {})
  const api = await startApi(t, ok)
  const client = clientOf(t, endpoint, api.url)
  const caller = new EventEmitter()
  const call = client.request({ path: '/', signal: caller })
  setImmediate(() => caller.emit('abort'))
  await t.rejects(call, { name: 'AbortError' })
  t.equal(api.seen.length, 0)
})

t.test('an abort during the wait for a token ends the call at once', async t => {
  const endpoint = await startTokenEndpoint(t, () => {})
  const api = await startApi(t, ok)
  const client = clientOf(t, endpoint, api.url, { tokenTimeoutMs: 2_000 })
  const controller = new AbortController()
  const call = client.request({ path: '/', signal: controller.signal })
  const fetched = client.fetch('/', { signal: controller.signal })
  setImmediate(() => controller.abort())
  await t.rejects(call, { name: 'AbortError' })
  await t.rejects(fetched, { name: 'AbortError' })
  endpoint.behave = tokens()
  t.equal(api.seen.length, 0)
})

t.test('paths and URLs that lead elsewhere are refused', async t => {
  const endpoint = await startTokenEndpoint(t)
  const api = await startApi(t, ok)
  const client = clientOf(t, endpoint, `${api.url}/v1`)
  await t.rejects(client.request({ path: 'receipts' }), /slash/)
  await t.rejects(client.fetch('receipts'), /path has to begin with a slash: "receipts"/)
  await t.rejects(client.fetch('//evil.example/receipts'), { code: 'TOKEN_CLIENT_ORIGIN_NOT_ALLOWED' })
  await t.rejects(client.fetch('https://evil.example/'), { code: 'TOKEN_CLIENT_ORIGIN_NOT_ALLOWED' })
  for (const path of ['/../admin', '/receipts/../../admin', '/%2e%2e/admin'])
    for (const call of ['fetch', 'get', 'request'] as const)
      await t.rejects(
        call === 'request' ? client.request({ path }) : (client[call](path) as Promise<unknown>),
        /path leads out of \/v1/,
      )
  await t.rejects(client.fetch(new Request(`${api.url}/v1/receipts`) as never), /wants a path or a URL/)
  await client.request({ path: '/receipts?page=1' })
  await client.request({ path: '/a..b/../receipts?of=../../ada' })
  await client.fetch('/receipts')
  t.strictSame(
    api.seen.map(({ url }) => url),
    ['/v1/receipts?page=1', '/v1/a..b/../receipts?of=../../ada', '/v1/receipts'],
  )
})

t.test('wrong interceptors are named', t => {
  const options = {
    baseUrl: 'https://a.example',
    issuer: 'https://b.example',
    clientId: 'a',
    clientSecret: 'b',
  }
  t.throws(
    () => createTokenClient({ ...options, interceptors: { retries: true } as never }),
    /no `retries`; it knows dns/,
  )
  t.throws(
    () => createTokenClient({ ...options, interceptors: { retry: 3 as never } }),
    /`interceptors.retry` is 3/,
  )
  t.end()
})
