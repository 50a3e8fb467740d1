import { Writable } from 'node:stream'
import fastify, { type FastifyBaseLogger } from 'fastify'
import t from 'tap'
import { Agent } from 'undici'
import tokenClient, {
  createTokenClient,
  type InterceptorOptions,
  type TokenClientOptions,
} from 'fastify-token-client'
import { brokenDispatchers } from 'test-support/broken-dispatchers'
import { faults, settle, watchProcess } from 'test-support/faults'
import { clientOf, ok, startApi } from './calling.js'
import { startTokenEndpoint } from './token-endpoint.js'

// docs/security.md lists every place where the package calls code of others. Handlers and stream factories that throw are
// in faulty-handlers.test.ts, secret functions that throw in disclosure.test.ts, stores in sharing.test.ts.

const timeoutMs = 100
const external = /internal|vault|hvs/

/** Awaits what must settle soon, and returns what an external caller would see of a failure. */
async function outcomeOf(call: Promise<unknown>, limitMs: number = timeoutMs + 1_000): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<string>(resolve => (timer = setTimeout(() => resolve('it hangs'), limitMs)))
  const settled = call.then(
    () => 'fulfilled',
    (error: Error & { code?: string }) => `${error.name} ${error.code ?? ''} ${error.message}`,
  )
  return Promise.race([settled, late]).finally(() => clearTimeout(timer))
}

const credentials: Readonly<Record<string, (fault: () => never) => Partial<TokenClientOptions>>> = {
  clientSecret: fault => ({ clientSecret: fault }),
  'clientSecret of client_secret_post': fault => ({
    clientSecret: fault,
    clientAuthentication: 'client_secret_post',
  }),
  'clientSecret of client_secret_jwt': fault => ({
    clientSecret: fault,
    clientAuthentication: 'client_secret_jwt',
  }),
  privateKey: fault => ({ privateKey: fault }),
  certificate: fault => ({ privateKey: fault, certificate: fault }),
  signAssertion: fault => ({ signAssertion: fault, keyAlgorithm: 'ES256' }),
  clientAssertion: fault => ({ clientAssertion: fault }),
}

/** Text is what these functions are for. */
const isUsable = (name: string, how: string): boolean =>
  how === 'returns text' && (name.startsWith('clientSecret') || name === 'clientAssertion')

for (const [name, optionsWith] of Object.entries(credentials))
  for (const [how, fault] of Object.entries(faults)) {
    if (isUsable(name, how)) continue
    t.test(`${name}: if the function ${how}, its calls fail in time, and other calls do not`, async t => {
      const fatal = watchProcess(t)
      const endpoint = await startTokenEndpoint(t)
      const api = await startApi(t, ok)
      const client = createTokenClient({
        baseUrl: api.url,
        tokenEndpoint: endpoint.url,
        clientId: 'payment',
        issuerTimeoutMs: timeoutMs,
        ...optionsWith(fault),
      })
      t.teardown(() => client.close())
      const calls = [client.request({ path: '/' }), client.fetch('/'), client.get('/'), client.getToken()]
      for (const outcome of await Promise.all(calls.map(call => outcomeOf(call)))) {
        t.match(outcome, /TOKEN_CLIENT_UNAVAILABLE Could not get an access token$/)
        t.notMatch(outcome, external)
      }
      t.equal(api.seen.length, 0, 'nothing was sent without a token')
      t.equal(endpoint.requests.length, 0, 'nothing was sent with a credential that is none')
      await settle()
      t.strictSame(fatal, [])
    })
  }

for (const [how, fault] of Object.entries(faults))
  t.test(`if a clock ${how}, the call fails, and the process does not end`, async t => {
    const fatal = watchProcess(t)
    const endpoint = await startTokenEndpoint(t)
    const api = await startApi(t, (_, response) => void response.writeHead(401).end())
    let works = true
    const client = clientOf(t, endpoint, api.url, { clock: () => (works ? Date.now() : fault()) })
    await client.getToken()
    works = false
    const calls = [
      async () => client.request({ path: '/' }),
      async () => client.fetch('/'),
      async () => client.getToken(),
      async () => client.with({ scopes: ['other'] }).getToken(),
    ]
    for (const call of calls) t.notMatch(await outcomeOf(call()), /hangs|fulfilled|internal|vault/)
    works = true
    t.equal(await outcomeOf(client.getToken()), 'fulfilled', 'it works again')
    await settle()
    t.strictSame(fatal, [])
  })

t.test('a clock that fails during a 401 causes one error of that call', async t => {
  const fatal = watchProcess(t)
  const endpoint = await startTokenEndpoint(t)
  let works = true
  const api = await startApi(t, (_, response) => {
    works = false
    response.writeHead(401).end()
  })
  for (const way of ['request', 'fetch', 'stream'] as const) {
    works = true
    const clock = (): number => (works ? Date.now() : (faults['throws'] as () => never)())
    const client = clientOf(t, endpoint, api.url, { clock })
    await client.getToken()
    const call = {
      request: () => client.request({ path: '/' }),
      fetch: () => client.fetch('/'),
      stream: () =>
        client.stream({ path: '/' }, () => new Writable({ write: (_chunk, _encoding, done) => done() })),
    }[way]
    t.notMatch(await outcomeOf(call()), /hangs|fulfilled|internal/, way)
  }
  await settle()
  t.strictSame(fatal, [])
})

for (const [how, dispatch] of Object.entries(brokenDispatchers)) {
  const hangs =
    /^(never calls back|returns nothing|rejects|ends a response that it has not started|never ends the response)$/.test(
      how,
    )

  t.test(`if issuerDispatcher ${how}, calls fail in time`, async t => {
    const fatal = watchProcess(t)
    const endpoint = await startTokenEndpoint(t)
    const agent = new Agent()
    t.teardown(() => agent.close())
    const issuerDispatcher = agent.compose(() => dispatch)
    const options = { issuerDispatcher, issuerTimeoutMs: timeoutMs }
    const client = clientOf(t, endpoint, 'https://api.example.com', options)
    const outcome = await outcomeOf(client.getToken())
    t.match(outcome, /TOKEN_CLIENT_UNAVAILABLE Could not get an access token$/)
    await settle()
    t.strictSame(how === 'rejects' ? [] : fatal, [])
  })

  t.test(`if dispatcher ${how}, its call fails once`, async t => {
    const fatal = watchProcess(t)
    const endpoint = await startTokenEndpoint(t)
    const agent = new Agent()
    t.teardown(() => agent.close())
    let faulty = false
    const broken = agent.compose(next => (options, handler) => (faulty ? dispatch : next)(options, handler))
    const api = await startApi(t, ok)
    for (const cached of [true, false]) {
      faulty = false
      const client = clientOf(t, endpoint, api.url, { dispatcher: broken })
      if (cached) await client.getToken()
      faulty = true
      const signal = AbortSignal.timeout(50)
      const calls = {
        request: client.request({ path: '/', signal }),
        fetch: client.fetch('/', { signal }),
        stream: client.stream(
          { path: '/', signal },
          () => new Writable({ write: (_chunk, _encoding, done) => done() }),
        ),
      }
      const outcomes = await Promise.all(Object.values(calls).map(call => outcomeOf(call, 200)))
      // Only a dispatcher that leaves something out can make a call wait.
      if (!hangs) t.notOk(outcomes.includes('it hangs'), outcomes.join())
      faulty = false
      t.equal((await client.request({ path: '/' })).statusCode, 200, 'other calls work')
    }
    await settle()
    t.strictSame(how === 'rejects' ? [] : fatal, [])
  })
}

const fail = faults['throws'] as () => never
const failingStore = { get: fail, set: fail, lock: fail, unlock: fail }

for (const [how, write] of Object.entries(faults))
  t.test(`if a logger ${how}, the result of the call does not change`, async t => {
    const fatal = watchProcess(t)
    const endpoint = await startTokenEndpoint(t, response => void response.writeHead(500).end())
    const logger: Record<string, unknown> = { level: 'info', child: () => logger }
    let works = true
    for (const level of ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])
      logger[level] = () => (works ? undefined : write())
    const app = fastify({ loggerInstance: logger as unknown as FastifyBaseLogger })
    t.teardown(() => app.close())
    await app.register(tokenClient, {
      name: 'receipts',
      baseUrl: 'https://receipts.example.com',
      tokenEndpoint: endpoint.url,
      clientId: 'payment',
      clientSecret: 'secret',
      prefetch: 'background',
      tokenStore: {
        store: failingStore,
        encryptionKeys: 'none',
        timeoutMs: 20,
      },
    })
    works = false
    await app.ready()
    const { receipts } = app as unknown as { receipts: { getToken(): Promise<unknown> } }
    t.match(await outcomeOf(receipts.getToken()), /TOKEN_CLIENT_UNAVAILABLE/)
    await settle()
    t.strictSame(fatal, [])
    works = true
  })

t.test('if a function of an interceptor throws, its call fails', async t => {
  const fatal = watchProcess(t)
  const endpoint = await startTokenEndpoint(t)
  let breaks = false
  const api = await startApi(t, (request, response) => {
    if (breaks) request.socket.destroy()
    else response.writeHead(503).end()
  })
  const given: readonly InterceptorOptions[] = [
    { dns: { lookup: fail } },
    { dns: { lookup: (_origin, _options, callback) => callback(new Error('internal'), []) } },
    { retry: { retry: fail } },
    { retry: { retry: faults['rejects'] as () => never } },
    { retry: { retry: (error, _context, callback) => [1, 2].forEach(() => callback(error)) } },
    { cache: { store: { get: fail, createWriteStream: fail, delete: fail } } },
    {
      cache: {
        store: { get: () => Promise.reject(new Error('internal')), createWriteStream: fail, delete: fail },
      },
    },
  ]
  for (const [index, interceptors] of [...given, ...given].entries()) {
    breaks = index >= given.length
    const baseUrl = api.url.replace('127.0.0.1', 'localhost')
    const client = clientOf(t, endpoint, baseUrl, { interceptors })
    const calls = { request: client.request({ path: '/' }), fetch: client.fetch('/') }
    const outcomes = await Promise.all(Object.values(calls).map(call => outcomeOf(call)))
    t.notOk(outcomes.includes('it hangs'), `${JSON.stringify(interceptors)} ${outcomes.join()}`)
  }
  await settle()
  t.strictSame(fatal, [])
})
