import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { createServer } from 'node:http'
import { setImmediate as nextTick } from 'node:timers/promises'
import fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { Agent, request } from 'undici'
import tokenClient, {
  createTokenClient,
  type TokenClient,
  type TokenClientPluginOptions,
} from 'fastify-token-client'
import { listen } from 'test-support/listen'
import { startTokenEndpoint } from './token-endpoint.js'

declare module 'fastify' {
  interface FastifyInstance {
    receipts: TokenClient
    orders: TokenClient
  }
}

const secret = 'the secret of the client'

function optionsFor(tokenEndpoint: string, more: Partial<TokenClientPluginOptions> = {}) {
  return {
    name: 'receipts',
    baseUrl: 'https://receipts.example.com',
    tokenEndpoint,
    clientId: 'payment',
    clientSecret: secret,
    ...more,
  }
}

/** An application whose log lines can be read. */
function appWithLog(t: Test): { app: FastifyInstance; lines: Record<string, unknown>[] } {
  const lines: Record<string, unknown>[] = []
  const stream = { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) }
  const app = fastify({ logger: { level: 'warn', stream } })
  t.teardown(() => app.close())
  return { app, lines }
}

async function startApi(t: Test, refusing: () => boolean = () => false): Promise<string> {
  const api = createServer((request, response) =>
    response.writeHead(refusing() ? 401 : 200).end(request.headers.authorization),
  )
  return await listen(t, api)
}

t.test('each registration is a client with its own token', async t => {
  const endpoint = await startTokenEndpoint(t)
  const baseUrl = await startApi(t)
  const app = fastify()
  t.teardown(() => app.close())
  await app.register(tokenClient, optionsFor(endpoint.url, { baseUrl, scopes: ['receipts:read'] }))
  await app.register(
    tokenClient,
    optionsFor(endpoint.url, { name: 'orders', baseUrl, scopes: ['orders:read'] }),
  )
  await app.ready()
  const [receipts, orders] = [await app.receipts.getToken(), await app.orders.getToken()]
  t.not(receipts.accessToken, orders.accessToken)
  const answer = await app.orders.request({ path: '/' })
  t.equal(await answer.body.text(), `Bearer ${orders.accessToken}`)
})

t.test('a name can be registered only once', async t => {
  const app = fastify()
  t.teardown(() => app.close())
  const options = optionsFor('https://login.example.com/token')
  await app.register(tokenClient, options)
  await t.rejects(async () => app.register(tokenClient, options), {
    code: 'TOKEN_CLIENT_INVALID_OPTION',
    message: /`name` is "receipts", but the Fastify instance already has that property/,
  })
})

t.test('a client that is registered in a child scope is not visible outside of it', async t => {
  const endpoint = await startTokenEndpoint(t)
  const app = fastify()
  t.teardown(() => app.close())
  const seen: boolean[] = []
  for (const clientId of ['one', 'other'])
    app.register(async inner => {
      await inner.register(tokenClient, optionsFor(endpoint.url, { clientId, prefetch: 'required' }))
      inner.register(async innermost => void seen.push(innermost.hasDecorator('receipts')))
    })
  await app.ready()
  t.strictSame(seen, [true, true], 'the same name twice, side by side')
  t.notOk(app.hasDecorator('receipts'))
  t.equal(endpoint.requests.length, 2)
})

t.test('prefetch: required waits for the token, lazy sends no request', async t => {
  const endpoint = await startTokenEndpoint(t)
  const app = fastify()
  t.teardown(() => app.close())
  await app.register(tokenClient, optionsFor(endpoint.url, { prefetch: 'required' }))
  await app.register(tokenClient, optionsFor(endpoint.url, { name: 'orders', prefetch: 'lazy' }))
  await app.ready()
  t.match(app.receipts.health(), { state: 'ready' })
  t.match(app.orders.health(), { state: 'cold' })
  t.equal(endpoint.requests.length, 1)
})

t.test(
  'with prefetch in the background, the application starts without the server, logs that, and recovers',
  async t => {
    let up = false
    let now = 1_700_000_000_000
    const endpoint = await startTokenEndpoint(t)
    const answer = endpoint.behave
    endpoint.behave = (response, request) =>
      up ? answer(response, request) : void response.writeHead(500).end()
    const { app, lines } = appWithLog(t)
    await app.register(tokenClient, optionsFor(endpoint.url, { clock: () => now }))
    await app.ready()
    while (lines.length === 0) await nextTick()
    t.match(lines, [
      {
        level: 40,
        client: 'receipts',
        code: 'TOKEN_CLIENT_UNAVAILABLE',
        reason: /\/token responded with 500, expected 200$/,
        msg: 'could not get an access token; calls fail until one is available',
      },
    ])
    t.match(app.receipts.health(), { state: 'failing', reason: /500/ })
    up = true
    now += 61_000
    t.ok(await app.receipts.getToken())
    t.match(app.receipts.health(), { state: 'ready', reason: undefined })

    up = false
    now += 50_000
    t.ok(await app.receipts.getToken(), 'a renewal that fails behind it is no concern of the call')
    while (lines.length === 1) await nextTick()
    t.match(lines[1], { level: 40, msg: 'could not renew the access token; calls use the cached token' })
    t.notMatch(JSON.stringify(lines), new RegExp(`${secret}|token-1`))
  },
)

const broken = (): Promise<never> => Promise.reject(new Error('no such host'))

t.test('a token store that fails is logged', async t => {
  const endpoint = await startTokenEndpoint(t)
  const { app, lines } = appWithLog(t)
  await app.register(
    tokenClient,
    optionsFor(endpoint.url, {
      prefetch: 'required',
      tokenStore: {
        store: { get: broken, set: broken, lock: broken, unlock: broken },
        encryptionKeys: 'none',
      },
    }),
  )
  await app.ready()
  t.match(lines, [{ level: 40, client: 'receipts', operation: 'get', reason: 'no such host' }])
})

t.test('events are published, without secrets', async t => {
  const endpoint = await startTokenEndpoint(t)
  let refuse = true
  const baseUrl = await startApi(t, () => refuse && !(refuse = false))
  const seen: [string, object][] = []
  for (const name of ['token-requested', 'token-received', 'token-failed', 'call', 'refused']) {
    const note = (message: unknown): void => void seen.push([name, message as object])
    subscribe(`fastify-token-client:${name}`, note)
    t.teardown(() => unsubscribe(`fastify-token-client:${name}`, note))
  }
  const client = createTokenClient({
    baseUrl,
    tokenEndpoint: endpoint.url,
    clientId: 'payment',
    clientSecret: secret,
  })
  t.teardown(() => client.close())
  await (await client.request({ path: '/receipts?of=ada' })).body.text()
  endpoint.behave = response => void response.writeHead(500).end()
  await t.rejects(client.with({ scopes: ['other'] }).getToken())
  t.match(seen, [
    ['token-requested', { name: 'client' }],
    ['token-received', { name: 'client', durationMs: Number, expiresAt: Number }],
    ['call', { method: 'GET', origin: baseUrl, path: '/receipts', cached: false }],
    ['refused', { path: '/receipts', replayed: true }],
    ['token-requested', { name: 'client' }],
    ['token-received', { name: 'client' }],
    ['token-requested', { name: 'client' }],
    ['token-failed', { reason: /responded with 500, expected 200$/, permanent: false, servingOld: false }],
  ])
  t.equal(seen.length, 8)
  t.notMatch(JSON.stringify(seen), new RegExp(`${secret}|token-\\d|ada`))
})

t.test('close() leaves a given dispatcher open', async t => {
  const endpoint = await startTokenEndpoint(t)
  const [dispatcher, issuerDispatcher] = [new Agent(), new Agent()]
  t.teardown(() => Promise.all([dispatcher.close(), issuerDispatcher.close()]))
  const app = fastify()
  const baseUrl = await startApi(t)
  await app.register(tokenClient, optionsFor(endpoint.url, { baseUrl, dispatcher, issuerDispatcher }))
  t.equal((await app.receipts.request({ path: '/' })).statusCode, 200)
  await app.close()
  t.strictSame(
    [dispatcher.closed, issuerDispatcher.closed, dispatcher.destroyed, issuerDispatcher.destroyed],
    [false, false, false, false],
  )
})

t.test('after close(), a second close() has no effect, and no token is requested', async t => {
  const endpoint = await startTokenEndpoint(t)
  const client = createTokenClient({
    baseUrl: await startApi(t),
    tokenEndpoint: endpoint.url,
    clientId: 'payment',
    clientSecret: secret,
  })
  await (await client.request({ path: '/' })).body.text()
  await Promise.all([client.close(), client.close()])
  await client.close()
  await t.rejects(client.request({ path: '/' }))
  await t.rejects(client.with({ scopes: ['other'] }).getToken(), {
    code: 'TOKEN_CLIENT_UNAVAILABLE',
    detail: /the connection is closed/,
  })
  t.equal(endpoint.requests.length, 1)
})

t.test('a handler that is running while the application closes can make its first call', async t => {
  const endpoint = await startTokenEndpoint(t)
  const app = fastify()
  let closing: Promise<unknown> = Promise.resolve()
  let goOn: (() => void) | undefined
  app.addHook('preClose', async () => goOn?.())
  const begun = new Promise<void>(resolve => (goOn = resolve))
  await app.register(
    tokenClient,
    optionsFor(endpoint.url, { baseUrl: await startApi(t), prefetch: 'required' }),
  )
  app.get('/', async () => {
    closing = app.close()
    await begun
    await nextTick()
    return (await app.receipts.request({ path: '/' })).body.text()
  })
  // The server waits for connections that are kept alive.
  const { statusCode, body } = await request(await app.listen({ host: '127.0.0.1', port: 0 }), {
    reset: true,
  })
  t.strictSame([statusCode, await body.text()], [200, 'Bearer token-1'])
  await closing
})
