import { EventEmitter } from 'node:events'
import { Writable } from 'node:stream'
import t from 'tap'
import {
  Agent,
  Client,
  EnvHttpProxyAgent,
  fetch,
  interceptors,
  MockAgent,
  Pool,
  ProxyAgent,
  RetryAgent,
} from 'undici'
import { clientOf, ok, startApi } from './calling.js'
import { startTokenEndpoint, tokens } from './token-endpoint.js'

t.test('works with Client, Pool, Agent and MockAgent, in stream and in undici’s fetch', async t => {
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

t.test('a request without an origin is not sent', async t => {
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

t.test('an EventEmitter works as a signal, as with undici', async t => {
  const endpoint = await startTokenEndpoint(t, () => {})
  const api = await startApi(t, ok)
  const client = clientOf(t, endpoint, api.url)
  const caller = new EventEmitter()
  const call = client.request({ path: '/', signal: caller })
  setImmediate(() => caller.emit('abort'))
  await t.rejects(call, { name: 'AbortError' })
  t.equal(api.seen.length, 0)
})

t.test('an abort during the wait for a token ends the call immediately', async t => {
  const endpoint = await startTokenEndpoint(t, () => {})
  const api = await startApi(t, ok)
  const client = clientOf(t, endpoint, api.url, { issuerTimeoutMs: 2_000 })
  const controller = new AbortController()
  const call = client.request({ path: '/', signal: controller.signal })
  const fetched = client.fetch('/', { signal: controller.signal })
  setImmediate(() => controller.abort())
  await t.rejects(call, { name: 'AbortError' })
  await t.rejects(fetched, { name: 'AbortError' })
  endpoint.behave = tokens()
  t.equal(api.seen.length, 0)
})

t.test('paths that leave baseUrl, and URLs of other origins, are refused', async t => {
  const endpoint = await startTokenEndpoint(t)
  const api = await startApi(t, ok)
  const client = clientOf(t, endpoint, `${api.url}/v1`)
  await t.rejects(client.request({ path: 'receipts' }), /slash/)
  await t.rejects(client.fetch('receipts'), /the path of a call must begin with exactly one slash/)
  await t.rejects(client.fetch('//evil.example/receipts'), { code: 'TOKEN_CLIENT_ORIGIN_NOT_ALLOWED' })
  await t.rejects(client.fetch('https://evil.example/'), { code: 'TOKEN_CLIENT_ORIGIN_NOT_ALLOWED' })
  for (const path of ['/../admin', '/receipts/../../admin', '/%2e%2e/admin'])
    for (const call of ['fetch', 'get', 'request'] as const)
      await t.rejects(
        call === 'request' ? client.request({ path }) : (client[call](path) as Promise<unknown>),
        /must not contain \.\. segments/,
      )
  await client.request({ path: '/receipts?page=1' })
  await client.request({ path: '/a..b/receipts?of=../../ada' })
  await client.fetch('/receipts')
  t.strictSame(
    api.seen.map(({ url }) => url),
    ['/v1/receipts?page=1', '/v1/a..b/receipts?of=../../ada', '/v1/receipts'],
  )
})

/** undici 8 composes like this: it hands an interceptor the handler as it is, where undici 7 translates old handlers. */
class Dispatcher {
  dispatch(): boolean {
    throw new Error('nothing may be sent to find out')
  }
  compose(interceptor: (dispatch: () => boolean) => () => boolean): Dispatcher {
    return Object.assign(Object.create(this) as Dispatcher, { dispatch: interceptor(() => this.dispatch()) })
  }
}
class AgentOfUndici8 extends Dispatcher {}

for (const option of ['dispatcher', 'issuerDispatcher'])
  t.test(`${option}: a dispatcher of undici 8 is refused, and the message says what to install`, async t => {
    const endpoint = await startTokenEndpoint(t)
    t.throws(
      () => clientOf(t, endpoint, 'https://receipts.example.com', { [option]: new AgentOfUndici8() }),
      {
        code: 'TOKEN_CLIENT_INVALID_OPTION',
        message: new RegExp(`\`${option}\`.*npm i undici@7`),
      },
    )
  })

t.test('every dispatcher of undici 7 is accepted, even if it has another class', async t => {
  const endpoint = await startTokenEndpoint(t)
  const origin = 'https://receipts.example.com'
  const agent = new Agent()
  const ownKind = { dispatch: () => true, compose: () => ownKind }
  for (const dispatcher of [
    agent,
    new Pool(origin),
    new Client(origin),
    new MockAgent(),
    new ProxyAgent('http://proxy.example.com'),
    new EnvHttpProxyAgent(),
    new RetryAgent(agent),
    agent.compose(interceptors.retry()),
    ownKind,
  ])
    t.doesNotThrow(() => clientOf(t, endpoint, origin, { dispatcher: dispatcher as never }))
})
