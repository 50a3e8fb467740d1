import { inspect } from 'node:util'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import fastify from 'fastify'
import { Agent } from 'undici'
import t, { type Test } from 'tap'
import tokenClient, { type TokenClient } from 'fastify-token-client'
import { makeCertificate } from 'test-support/certificate'
import { listen } from 'test-support/listen'

declare module 'fastify' {
  interface FastifyInstance {
    receipts: TokenClient
  }
}

async function serve(
  t: Test,
  handle: (request: IncomingMessage, response: ServerResponse, url: string) => void,
): Promise<string> {
  const server: Server = createServer((request, response) => handle(request, response, url))
  const url = await listen(t, server)
  return url
}

/** An issuer that counts: each token is `token-1`, `token-2`, … */
async function startIssuer(t: Test) {
  const seen: string[] = []
  const url = await serve(t, (request, response, url) => {
    response.setHeader('content-type', 'application/json')
    if (request.url?.startsWith('/.well-known/')) {
      response.end(JSON.stringify({ issuer: url, token_endpoint: `${url}/token` }))
      return
    }
    let body = ''
    request.on('data', chunk => (body += chunk))
    request.on('end', () => {
      seen.push(`${request.headers.authorization} ${body}`)
      response.end(
        JSON.stringify({ access_token: `token-${seen.length}`, token_type: 'Bearer', expires_in: 60 }),
      )
    })
  })
  return { url, seen }
}

t.test('requests one token for concurrent calls, and sends it', async t => {
  const issuer = await startIssuer(t)
  const sent: (string | undefined)[] = []
  const baseUrl = await serve(t, (request, response) => {
    sent.push(request.headers.authorization)
    response.end(request.url)
  })
  const app = fastify()
  t.teardown(() => app.close())
  await app.register(tokenClient, {
    name: 'receipts',
    baseUrl: `${baseUrl}/v1`,
    issuer: issuer.url,
    clientId: 'payment',
    clientSecret: 'a secret: with + and é',
    scopes: ['receipts:write'],
    resource: 'https://receipts.example.com',
    prefetch: 'lazy',
  })
  await app.ready()
  const answers = await Promise.all(
    Array.from({ length: 20 }, async (_, index) =>
      index % 2 === 0
        ? (await app.receipts.request({ path: '/receipts' })).body.text()
        : (await app.receipts.fetch('/receipts')).text(),
    ),
  )
  t.ok(answers.every(answer => answer === '/v1/receipts'))
  t.equal(issuer.seen.length, 1)
  t.ok(sent.every(header => header === 'Bearer token-1'))
  const [, credentials = '', body = ''] = issuer.seen[0]?.split(' ') ?? []
  t.equal(
    Buffer.from(credentials, 'base64').toString(),
    'payment:a+secret%3A+with+%2B+and+%C3%A9',
    'form-urlencoded as RFC 6749 §2.3.1 requires',
  )
  t.strictSame(Object.fromEntries(new URLSearchParams(body)), {
    grant_type: 'client_credentials',
    scope: 'receipts:write',
    resource: 'https://receipts.example.com',
  })
})

t.test('discards a token that the API refuses, and sends the call again with its body', async t => {
  const issuer = await startIssuer(t)
  const bodies: string[] = []
  const baseUrl = await serve(t, (request, response) => {
    let body = ''
    request.on('data', chunk => (body += chunk))
    request.on('end', () => {
      bodies.push(body)
      response.statusCode = request.headers.authorization === 'Bearer token-1' ? 401 : 200
      response.end('x'.repeat(10_000))
    })
  })
  const app = fastify()
  t.teardown(() => app.close())
  await app.register(tokenClient, {
    name: 'receipts',
    baseUrl,
    issuer: issuer.url,
    clientId: 'payment',
    clientSecret: 'secret',
  })
  await app.ready()
  const { statusCode, body } = await app.receipts.request({ method: 'POST', path: '/', body: 'the book' })
  t.equal(statusCode, 200)
  t.equal((await body.text()).length, 10_000)
  t.strictSame(bodies, ['the book', 'the book'])
  t.equal(issuer.seen.length, 2)
})

t.test('delivers the 401 of an API that refuses every token', async t => {
  const issuer = await startIssuer(t)
  const baseUrl = await serve(t, (_, response) => {
    response.statusCode = 401
    response.end('no')
  })
  const app = fastify()
  t.teardown(() => app.close())
  await app.register(tokenClient, {
    name: 'receipts',
    baseUrl,
    issuer: issuer.url,
    clientId: 'payment',
    clientSecret: 'secret',
  })
  await app.ready()
  for (let call = 0; call < 5; call += 1) {
    const { statusCode, body } = await app.receipts.request({ path: '/' })
    t.strictSame([statusCode, await body.text()], [401, 'no'])
  }
  t.equal(issuer.seen.length, 2, 'one forced renewal, not one for each call')
})

t.test('does not send the token to another origin', async t => {
  const issuer = await startIssuer(t)
  const app = fastify()
  t.teardown(() => app.close())
  await app.register(tokenClient, {
    name: 'receipts',
    baseUrl: 'http://127.0.0.1:9',
    issuer: issuer.url,
    clientId: 'payment',
    clientSecret: 'secret',
    prefetch: 'lazy',
  })
  await app.ready()
  await t.rejects(app.receipts.fetch('http://127.0.0.1:10/x'), { code: 'TOKEN_CLIENT_ORIGIN_NOT_ALLOWED' })
  await t.rejects(
    app.receipts.dispatcher.request({ origin: 'http://127.0.0.1:10', path: '/', method: 'GET' }),
    { code: 'TOKEN_CLIENT_ORIGIN_NOT_ALLOWED' },
  )
  t.equal(issuer.seen.length, 0)
})

t.test('if the authorization server is down, each call fails immediately with 503', async t => {
  const app = fastify()
  t.teardown(() => app.close())
  await app.register(tokenClient, {
    name: 'receipts',
    baseUrl: 'http://127.0.0.1:9',
    issuer: 'http://127.0.0.1:1',
    clientId: 'payment',
    clientSecret: 'secret',
  })
  await app.ready()
  for (let call = 0; call < 3; call += 1)
    await t.rejects(app.receipts.request({ path: '/' }), {
      code: 'TOKEN_CLIENT_UNAVAILABLE',
      statusCode: 503,
    })
  t.equal(app.receipts.health().state, 'failing')
})

t.test('an abort during the wait for a token ends only its own call', async t => {
  const answers: (() => void)[] = []
  const issuer = await serve(t, (request, response, url) => {
    response.setHeader('content-type', 'application/json')
    if (request.url !== '/token') {
      response.end(JSON.stringify({ issuer: url, token_endpoint: `${url}/token` }))
      return
    }
    answers.push(() =>
      response.end(JSON.stringify({ access_token: 'late', token_type: 'Bearer', expires_in: 60 })),
    )
    aborting.abort(new Error('enough'))
  })
  const aborting = new AbortController()
  const baseUrl = await serve(t, (request, response) => void response.end(request.headers.authorization))
  const app = fastify()
  t.teardown(() => app.close())
  await app.register(tokenClient, {
    name: 'receipts',
    baseUrl,
    issuer,
    clientId: 'payment',
    clientSecret: 'secret',
    prefetch: 'lazy',
  })
  await app.ready()
  const patient = app.receipts.request({ path: '/' })
  await t.rejects(app.receipts.request({ path: '/', signal: aborting.signal }), /enough/)
  answers[0]?.()
  t.equal(await (await patient).body.text(), 'Bearer late')
  t.equal(answers.length, 1)
})

/** Leaves an option out. */
const none = Symbol('none')
const without = (options: object): object =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== none))

t.test('invalid options fail register', async t => {
  const { cert } = await makeCertificate('localhost')
  const options = {
    name: 'receipts',
    baseUrl: 'https://api.example.com',
    issuer: 'https://login.example.com',
    clientId: 'payment',
    clientSecret: 'secret',
  }
  for (const [wrong, message] of [
    [{ name: 'not a name' }, /option `name`/],
    [{ baseUrl: 'http://api.example.com' }, /option `baseUrl`.*https/],
    [{ clientSecret: undefined }, /option `clientSecret` is undefined \(is the environment variable set\?\)/],
    [{ scope: 'x' }, /no option `scope`; did you mean `scopes`\?/],
    [{ prefetch: 'never' }, /option `prefetch`/],
    [
      { baseUrl: 'https://user:pass@api.example.com' },
      /option `baseUrl` is a URL with a username or password/,
    ],
    [{ allowInsecureHttp: 'yes' }, /option `allowInsecureHttp` is "yes"; expected true or false/],
    [
      { issuerTimeoutMs: Infinity },
      /option `issuerTimeoutMs` is Infinity; expected a number of milliseconds from 1 to 120000/,
    ],
    [{ scopes: ['a b'] }, /option `scopes\[0\]` is "a b"; expected a list of scopes, each without spaces/],
    [
      { parameters: { grant_type: 'password' } },
      /`parameters` has `grant_type`, which the client sets itself/,
    ],
    [{ parameters: { scope: 'a' } }, /`parameters` has `scope`.*use `scopes`/],
    [{ keyId: 'one' }, /option `keyId` is "one", but has no effect with `clientSecret`, only with/],
    [{ certificate: () => 'x' }, /a client secret with a `certificate` requires/],
    [{ certificate: 'x' }, /option `certificate` is text; expected a certificate in PEM/],
    [
      { ca: cert, dispatcher: new Agent(), issuerDispatcher: new Agent() },
      /option `ca` has no effect with a `d/,
    ],
    [{ ca: 'garbage' }, /option `ca` is text; expected a certificate in PEM format/],
    [{ clock: () => NaN }, /option `clock` returns NaN; expected a function that returns milliseconds/],
    [{ clock: () => '0' }, /option `clock` returns "0"; expected/],
    [{ clock: 0 }, /option `clock` is 0; expected a function/],
    [{ dpop: null }, /option `dpop` is null; expected true, or a CryptoKeyPair/],
    [
      { clientSecret: none, privateKey: 'garbage' },
      /option `privateKey` is text; expected a private key in PEM/,
    ],
    [
      { clientSecret: none, privateKey: () => '', keyAlgorithm: 'RS265' },
      /option `keyAlgorithm` is "RS265"; expected one of RS256, /,
    ],
    [{ clientSecret: none, privateKey: {}, keyAlgorithm: 'constructor' }, /option `keyAlgorithm`/],
    [{ clientAuthentication: 'tls_client_auth' }, /option `clientSecret` is not used with `tls_client_auth`/],
    [
      { clientSecret: none, signAssertion() {}, clientAuthentication: 'client_secret_post' },
      /`clientAuthentication` is 'client_secret_post', which uses `clientSecret` and not `signAssertion`/,
    ],
  ] as const) {
    const app = fastify()
    await t.rejects(
      async () => app.register(tokenClient, without({ ...options, ...wrong }) as never),
      {
        code: 'TOKEN_CLIENT_INVALID_OPTION',
        message,
      },
      inspect(wrong, { depth: 1 }),
    )
    await app.close().catch(() => {})
  }
})
