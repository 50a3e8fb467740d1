import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setImmediate as nextTick } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import fastify from 'fastify'
import t from 'tap'
import { Agent } from 'undici'
import tokenClient, {
  TokenRejectedError,
  TokenUnavailableError,
  type TokenClient,
} from 'fastify-token-client'
import { json, startTokenEndpoint, tokens, type Behaviour } from './token-endpoint.js'
import { clientOf, failureOf, secret, start } from './standing-clock.js'

declare module 'fastify' {
  interface FastifyInstance {
    receipts: TokenClient
  }
}

const outages: Record<string, Behaviour> = {
  'a 500': response => response.writeHead(500).end('oh no'),
  'a 500 with an error': response => json(response, 500, { error: 'server_error' }),
  'a 429': response => response.writeHead(429).end(),
  'a 404 of a gateway': response =>
    response.writeHead(404, { 'content-type': 'text/html' }).end('<h1>Not found</h1>'),
  temporarily_unavailable: response => json(response, 400, { error: 'temporarily_unavailable' }),
  'HTML instead of a token': response =>
    response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Welcome</h1>'),
  'JSON that is no token': response => json(response, 200, { hello: 'world' }),
  'a token of another type': response =>
    json(response, 200, { access_token: 'abc', token_type: 'mac', expires_in: 60 }),
  'a token that is none': response =>
    json(response, 200, { access_token: 'a b\r\nc', token_type: 'Bearer', expires_in: 60 }),
  '10 MB': response => {
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(`{"access_token":"${'x'.repeat(10_000_000)}"}`)
  },
  'a few kilobytes that unfold to 10 MB': response => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' })
    response.end(gzipSync(`{"access_token":"${'x'.repeat(10_000_000)}","token_type":"Bearer"}`))
  },
  'a 400 with server_error': response => json(response, 400, { error: 'server_error' }),
  'a closed connection': (response, request) => void (response.headersSent || request.socket.destroy()),
}

for (const [what, behave] of Object.entries(outages))
  t.test(`${what} is an outage: 503, and tried again later`, async t => {
    const endpoint = await startTokenEndpoint(t, behave)
    const { client, clock } = clientOf(t, endpoint)
    const failure = await failureOf(client)
    t.ok(failure instanceof TokenUnavailableError, String(failure))
    t.match(failure, {
      code: 'TOKEN_CLIENT_UNAVAILABLE',
      statusCode: 503,
      headers: { 'retry-after': /^\d+$/ },
    })
    const asked = endpoint.requests.length
    for (let call = 0; call < 1_000; call += 1) await failureOf(client)
    t.equal(endpoint.requests.length, asked, 'a thousand calls ask nobody until the wait is over')
    endpoint.behave = tokens()
    clock.now += 61_000
    t.match(await client.getToken(), { accessToken: 'token-1' }, 'it heals by itself')
  })

t.test('the size of a response is limited with a given dispatcher too', async t => {
  const endpoint = await startTokenEndpoint(t, response =>
    json(response, 200, { access_token: 'x'.repeat(100_000), token_type: 'Bearer' }),
  )
  const issuerDispatcher = new Agent()
  t.teardown(() => issuerDispatcher.close())
  const failure = await failureOf(clientOf(t, endpoint, { issuerDispatcher }).client)
  t.match(failure, { code: 'TOKEN_CLIENT_UNAVAILABLE', detail: /a body larger than 65536 bytes/ })
})

t.test('an outage of an hour causes few token requests, at increasing intervals', async t => {
  const endpoint = await startTokenEndpoint(t, response => response.writeHead(503).end())
  const { client, clock } = clientOf(t, endpoint, { random: () => 0.5 })
  for (; clock.now < start + 3_600_000; clock.now += 1_000) await failureOf(client)
  t.ok(endpoint.requests.length < 130, `${endpoint.requests.length} requests for 3,600 calls`)
})

t.test('Retry-After is honoured, in seconds and as a date', async t => {
  const endpoint = await startTokenEndpoint(t, response =>
    response.writeHead(429, { 'retry-after': '20' }).end(),
  )
  const { client, clock } = clientOf(t, endpoint)
  t.match(await failureOf(client), { retryAfterMs: 20_000, headers: { 'retry-after': '20' } })
  clock.now += 19_000
  t.match(await failureOf(client), { retryAfterMs: 1_000 })
  t.equal(endpoint.requests.length, 1)
  clock.now += 1_001
  // By the client's clock, which is far from the machine's.
  const date = new Date(Math.ceil(clock.now / 1000) * 1000 + 30_000)
  endpoint.behave = response => response.writeHead(503, { 'retry-after': date.toUTCString() }).end()
  t.match(await failureOf(client), { retryAfterMs: date.getTime() - clock.now })
})

for (const seconds of ['86400', '9'.repeat(30), '9'.repeat(400)])
  t.test(`Retry-After: ${seconds.slice(0, 40)} is honoured up to five minutes`, async t => {
    const endpoint = await startTokenEndpoint(t, response =>
      response.writeHead(503, { 'retry-after': seconds }).end(),
    )
    const { client, clock } = clientOf(t, endpoint)
    t.match(await failureOf(client), { retryAfterMs: 300_000 })
    clock.now += 299_999
    await failureOf(client)
    t.equal(endpoint.requests.length, 1)
    endpoint.behave = tokens()
    clock.now += 1
    t.ok((await client.getToken()).accessToken)
  })

t.test('a clock that is set back during Retry-After does not extend the wait', async t => {
  const endpoint = await startTokenEndpoint(t, response =>
    response.writeHead(503, { 'retry-after': '20' }).end(),
  )
  const { client, clock } = clientOf(t, endpoint)
  await failureOf(client)
  endpoint.behave = tokens()
  clock.now -= 60_000
  t.match(await client.getToken(), { accessToken: 'token-1' })
})

t.test('a clock that is set back neither extends an outage nor prevents a renewal', async t => {
  const endpoint = await startTokenEndpoint(t, response => response.writeHead(503).end())
  const { client, clock } = clientOf(t, endpoint)
  await failureOf(client)
  endpoint.behave = tokens()
  clock.now -= 3_600_000
  client.invalidate(await client.getToken())
  clock.now -= 3_600_000
  client.invalidate(await client.getToken())
  t.match(await client.getToken(), { accessToken: 'token-3' })
})

t.test('Retry-After: 0 does not allow a token request for every call', async t => {
  const endpoint = await startTokenEndpoint(t, response =>
    response.writeHead(503, { 'retry-after': '0' }).end(),
  )
  const { client } = clientOf(t, endpoint)
  for (let call = 0; call < 50; call += 1) await failureOf(client)
  t.equal(endpoint.requests.length, 1)
})

const never = (): Promise<never> => new Promise(() => {})

t.test('the wait for an unresponsive vault or KMS is limited', async t => {
  const endpoint = await startTokenEndpoint(t)
  const options = { issuerTimeoutMs: 20 }
  let asked = 0
  const clientSecret = (): Promise<never> => {
    asked += 1
    return never()
  }
  const { client: vault, clock } = clientOf(t, endpoint, { ...options, clientSecret })
  for (const times of [1, 2]) {
    t.match(await failureOf(vault), {
      code: 'TOKEN_CLIENT_UNAVAILABLE',
      detail: /timed out while waiting for the credentials/,
    })
    t.equal(asked, times)
    clock.now += 10_000
  }
  const kms = { clientSecret: undefined, keyAlgorithm: 'RS256', signAssertion: never }
  const signing = clientOf(t, endpoint, { ...options, ...kms }).client
  t.match(await failureOf(signing), {
    code: 'TOKEN_CLIENT_UNAVAILABLE',
    detail: /timed out while waiting for the credentials/,
  })
  t.equal(endpoint.requests.length, 0)
})

t.test('the wait for an unresponsive server is limited', async t => {
  const endpoint = await startTokenEndpoint(t, () => {})
  const { client } = clientOf(t, endpoint, { issuerTimeoutMs: 40 })
  t.match(await failureOf(client), { code: 'TOKEN_CLIENT_UNAVAILABLE', detail: /no response within 40 ms/ })
})

t.test('a server that refuses connections is an outage', async t => {
  const closed = createServer()
  await new Promise<void>(resolve => closed.listen(0, '127.0.0.1', resolve))
  const { port } = closed.address() as AddressInfo
  await new Promise(resolve => closed.close(resolve))
  const { client } = clientOf(t, { url: `http://127.0.0.1:${port}/token` })
  t.match(await failureOf(client), { code: 'TOKEN_CLIENT_UNAVAILABLE', detail: /ECONNREFUSED/ })
})

const refusals = [
  'invalid_client',
  'invalid_scope',
  'invalid_target',
  'unauthorized_client',
  'invalid_request',
]
for (const error of refusals)
  t.test(`${error} is a refusal: 500, with the shortened text of the server`, async t => {
    const endpoint = await startTokenEndpoint(t, response =>
      json(response, error === 'invalid_client' ? 401 : 400, {
        error,
        error_description: `because\n${'of this '.repeat(100)}`,
      }),
    )
    const { client } = clientOf(t, endpoint)
    const failure = await failureOf(client)
    t.ok(failure instanceof TokenRejectedError)
    t.match(failure, { code: 'TOKEN_CLIENT_REJECTED', statusCode: 500, error })
    t.ok((failure as TokenRejectedError).errorDescription?.startsWith('because of this'))
    const { detail } = failure as TokenRejectedError
    t.ok(detail.length < 400 && !detail.includes('\n'))
  })

t.test('an outage does not affect calls while a token is cached', async t => {
  const endpoint = await startTokenEndpoint(t)
  const { client, clock } = clientOf(t, endpoint)
  const token = await client.getToken()
  endpoint.behave = response => response.writeHead(500).end()
  for (clock.now = start + 46_000; clock.now < token.expiresAt; clock.now += 500) {
    t.equal((await client.getToken()).accessToken, token.accessToken)
    await nextTick()
  }
  t.ok(endpoint.requests.length > 1, 'renewals were tried')
  clock.now = token.expiresAt
  t.match(await failureOf(client), { code: 'TOKEN_CLIENT_UNAVAILABLE' }, 'a token that has ended is not sent')
})

t.test('calls use the cached token after a refused renewal', async t => {
  const endpoint = await startTokenEndpoint(t)
  const { client, clock } = clientOf(t, endpoint)
  const token = await client.getToken()
  endpoint.behave = response => json(response, 400, { error: 'invalid_scope' })
  clock.now = start + 50_000
  t.equal((await client.getToken()).accessToken, token.accessToken)
})

t.test('a 401 of the token endpoint is never sent to the external caller', async t => {
  const endpoint = await startTokenEndpoint(t, response => json(response, 401, { error: 'invalid_client' }))
  const app = fastify()
  t.teardown(() => app.close())
  await app.register(tokenClient, {
    name: 'receipts',
    baseUrl: 'https://receipts.example.com',
    tokenEndpoint: endpoint.url,
    clientId: 'payment',
    clientSecret: secret,
    prefetch: 'lazy',
  })
  app.get('/', async () => (await app.receipts.request({ path: '/' })).statusCode)
  const answer = await app.inject('/')
  t.equal(answer.statusCode, 500)
  t.notMatch(answer.body, secret)
})

t.test("prefetch: 'required' waits for a token, and the start fails without one", async t => {
  const endpoint = await startTokenEndpoint(t, response => json(response, 400, { error: 'invalid_scope' }))
  const app = fastify()
  t.teardown(() => app.close())
  app.register(tokenClient, {
    name: 'receipts',
    baseUrl: 'https://receipts.example.com',
    tokenEndpoint: endpoint.url,
    clientId: 'payment',
    clientSecret: secret,
    prefetch: 'required',
  })
  await t.rejects(async () => app.ready(), { code: 'TOKEN_CLIENT_REJECTED', error: 'invalid_scope' } as never)
})
