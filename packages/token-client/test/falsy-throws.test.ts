import { Readable } from 'node:stream'
import { Writable } from 'node:stream'
import t, { type Test } from 'tap'
import { Agent, fetch as undiciFetch, type Dispatcher } from 'undici'
import type { TokenClient, TokenClientOptions } from 'fastify-token-client'
import { clientOf, startApi } from './calling.js'
import { settle, watchProcess } from 'test-support/faults'
import { startTokenEndpoint } from './token-endpoint.js'

// undici takes a falsy value that code of others throws for "no error": it resolves the call with nothing, or never settles.

const falsy: readonly unknown[] = [null, undefined, 0, '', false]

/** What a call comes to, within a second. */
async function outcomeOf(call: () => Promise<unknown>): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<string>(resolve => (timer = setTimeout(() => resolve('it hangs'), 1_000)))
  const settled = (async () => call())().then(
    () => 'it succeeds',
    (error: unknown) => error,
  )
  return Promise.race([settled, late]).finally(() => clearTimeout(timer))
}

/** Bodies that are read while they are sent, and fail. */
const bodies: Readonly<Record<string, (thrown: unknown) => unknown>> = {
  'async generator': async function* (thrown) {
    yield Buffer.from('a')
    throw thrown
  },
  'async generator, at once': async function* (thrown) {
    if (thrown !== 'never') throw thrown
    yield Buffer.from('a')
  },
  generator: function* (thrown) {
    yield Buffer.from('a')
    throw thrown
  },
  'iterator that rejects': thrown => ({
    [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(thrown) }),
  }),
  'iterator that throws': thrown => ({
    [Symbol.asyncIterator]: () => ({
      next() {
        throw thrown
      },
    }),
  }),
  'iterable without an iterator': thrown => ({
    [Symbol.asyncIterator]() {
      throw thrown
    },
  }),
  'Readable of a generator': thrown =>
    Readable.from(bodies['async generator']?.(thrown) as AsyncIterable<Buffer>),
  'like a Blob without a stream': thrown => ({
    [Symbol.toStringTag]: 'File',
    size: 3,
    arrayBuffer: () => Promise.reject(thrown),
  }),
  'like a Blob': thrown => ({
    [Symbol.toStringTag]: 'Blob',
    size: 3,
    type: '',
    stream() {
      throw thrown
    },
    arrayBuffer() {
      throw thrown
    },
  }),
}

const sink = () => new Writable({ write: (_chunk, _encoding, done) => done() })

type Call = { path: string; method: 'POST'; body: never; headers: Record<string, string> }

/** Ways to send a body. */
const ways: Readonly<Record<string, (client: TokenClient, call: Call, origin: string) => Promise<unknown>>> =
  {
    request: (client, call) => client.request(call),
    stream: (client, call) => client.stream(call, sink),
    fetch: (client, { path, ...init }) => client.fetch(path, { ...init, duplex: 'half' }),
    'dispatcher.request': (client, call, origin) => client.dispatcher.request({ ...call, origin }),
    'undici.fetch': (client, { path, ...init }, origin) =>
      undiciFetch(origin + path, { ...init, duplex: 'half', dispatcher: client.dispatcher }),
  }

async function start(t: Test, more: Partial<TokenClientOptions> = {}) {
  const endpoint = await startTokenEndpoint(t)
  const api = await startApi(t, (request, response) => {
    request.on('error', () => {}).resume()
    request.on('end', () => response.end('ok'))
  })
  return { api, client: clientOf(t, endpoint, api.url, more) }
}

for (const [what, bodyOf] of Object.entries(bodies))
  for (const [way, send] of Object.entries(ways)) {
    if (/^generator|^like a Blob/.test(what) && way.endsWith('fetch')) continue // Fetch Standard: text
    if (what === 'iterable without an iterator' && way === 'undici.fetch') continue // nothing of ours is called
    t.test(`${way}: if a body (${what}) throws any value, the call rejects with an error`, async t => {
      const fatal = watchProcess(t)
      for (const more of [{}, { interceptors: { retry: { maxRetries: 1, minTimeout: 1 } } }]) {
        const { api, client } = await start(t, more)
        for (const length of [undefined, '3', '100000'])
          for (const thrown of [...falsy, new Error('ours')]) {
            const headers: Record<string, string> = length === undefined ? {} : { 'content-length': length }
            const call = { path: '/', method: 'POST', headers, body: bodyOf(thrown) as never } as const
            const outcome = await outcomeOf(() => send(client, call, api.url))
            const name = `${String(thrown)} ${length} ${JSON.stringify(Object.keys(more))}`
            t.ok(outcome instanceof Error, `${name}: ${String(outcome)}`)
          }
      }
      await settle()
      t.strictSame(fatal, [])
    })
  }

/** Dispatchers that fail with a value. */
const dispatchers: Readonly<Record<string, (thrown: unknown) => Dispatcher['dispatch']>> = {
  throws: thrown => () => {
    throw thrown
  },
  'tells of an error': thrown => (_, handler) => {
    handler.onRequestStart?.(controller(), {})
    handler.onResponseError?.(controller(), thrown as Error)
    return true
  },
  'tells of an error later': thrown => (_, handler) => {
    handler.onRequestStart?.(controller(), {})
    setImmediate(() => handler.onResponseError?.(controller(), thrown as Error))
    return true
  },
}

function controller(): Dispatcher.DispatchController {
  return { aborted: false, paused: false, reason: null, abort() {}, pause() {}, resume() {} } as never
}

for (const [how, dispatchOf] of Object.entries(dispatchers))
  for (const thrown of falsy)
    t.test(`a dispatcher that ${how}: ${JSON.stringify(thrown)}`, async t => {
      const fatal = watchProcess(t)
      const agent = new Agent()
      t.teardown(() => agent.close())
      const broken = agent.compose(() => dispatchOf(thrown))
      for (const interceptors of [{}, { redirect: true }])
        for (const cached of [true, false]) {
          const { api, client } = await start(t, { dispatcher: broken, interceptors })
          if (cached) await client.getToken()
          const call = { path: '/', method: 'POST', headers: {}, body: 'abc' as never } as const
          for (const [way, send] of Object.entries(ways)) {
            const outcome = await outcomeOf(() => send(client, call, api.url))
            t.ok(outcome instanceof Error, `${way}: ${String(outcome)}`)
          }
          const json = await outcomeOf(() => client.get('/'))
          t.ok(json instanceof Error, `get: ${String(json)}`)
        }
      await settle()
      t.strictSame(fatal, [])
    })

for (const thrown of falsy)
  t.test(`an issuerDispatcher that throws ${JSON.stringify(thrown)} is reported as the reason`, async t => {
    const agent = new Agent()
    t.teardown(() => agent.close())
    for (const [how, dispatchOf] of Object.entries(dispatchers)) {
      const issuerDispatcher = agent.compose(() => dispatchOf(thrown))
      const { client } = await start(t, { issuerDispatcher })
      const error = await outcomeOf(() => client.getToken())
      t.match(error, { code: 'TOKEN_CLIENT_UNAVAILABLE' }, how)
      t.match((error as { detail: string }).detail, /no reason was given|without a response/, how)
      t.notMatch((error as { detail: string }).detail, /undefined|Cannot read/, how)
    }
  })

/** Headers of others that fail while they are read. */
const headers: Readonly<Record<string, (thrown: unknown) => unknown>> = {
  iterable: function* (thrown) {
    yield ['x-a', '1']
    throw thrown
  },
  getter: thrown =>
    Object.defineProperty({}, 'x-a', {
      enumerable: true,
      get() {
        throw thrown
      },
    }),
}

for (const [what, headersOf] of Object.entries(headers))
  t.test(`if headers (${what}) throw any value, the call rejects with an error`, async t => {
    const fatal = watchProcess(t)
    for (const cached of [true, false])
      for (const [way, send] of Object.entries({
        ...ways,
        get: (client: TokenClient, { headers }: Call, _origin: string) => client.get('/', { headers }),
      })) {
        if (way === 'undici.fetch') continue // nothing of ours is called
        const { api, client } = await start(t)
        if (cached) await client.getToken()
        for (const thrown of [...falsy, new Error('ours')]) {
          const call = {
            path: '/',
            method: 'POST',
            headers: headersOf(thrown) as never,
            body: 'abc' as never,
          } as const
          const outcome = await outcomeOf(() => send(client, call, api.url))
          t.ok(outcome instanceof Error, `${way} ${cached} ${String(thrown)}: ${String(outcome)}`)
        }
      }
    await settle()
    t.strictSame(fatal, [])
  })

t.test('if a stream factory throws any value, the call rejects with an error', async t => {
  const fatal = watchProcess(t)
  for (const cached of [true, false])
    for (const thrown of falsy) {
      const { client } = await start(t)
      if (cached) await client.getToken()
      const outcome = await outcomeOf(() =>
        client.stream({ path: '/' }, () => {
          throw thrown
        }),
      )
      t.ok(outcome instanceof Error, `${cached} ${String(thrown)}: ${String(outcome)}`)
    }
  await settle()
  t.strictSame(fatal, [])
})
