import fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import tokenClient, {
  OriginNotAllowedError,
  TokenRejectedError,
  TokenUnavailableError,
  UnexpectedBodyError,
  UnexpectedStatusError,
  type TokenClient,
  type TokenClientPluginOptions,
} from 'fastify-token-client'
import { startApi } from './calling.js'
import { json, startTokenEndpoint, type Behaviour } from './token-endpoint.js'

// Fastify sends the message of an error to the external caller, also with 500, 502 and 503.

declare module 'fastify' {
  interface FastifyInstance {
    hidden: TokenClient
  }
}

interface Service {
  readonly app: FastifyInstance
  readonly log: string[]
}

/** A service whose only route calls an API, and what it logs. */
async function startService(
  t: Test,
  options: Partial<TokenClientPluginOptions> & { tokenEndpoint: string },
  call: (client: TokenClient) => Promise<unknown>,
): Promise<Service> {
  const log: string[] = []
  const app = fastify({ logger: { level: 'info', stream: { write: (line: string) => void log.push(line) } } })
  t.teardown(() => app.close())
  await app.register(tokenClient, {
    name: 'hidden',
    baseUrl: 'https://receipts.internal/v1/tenants/42',
    clientId: 'payment',
    clientSecret: 'the secret',
    prefetch: 'lazy',
    ...options,
  })
  app.get('/', async () => call(app.hidden))
  return { app, log }
}

const internals = /internal|vault|tenants|hvs|127\.0\.0\.1|token-client\/|AADB2C|\/receipts|description/

async function checkAnswer(t: Test, { app, log }: Service, expected: object, inLog: RegExp): Promise<void> {
  const answer = await app.inject('/')
  t.match(answer.json(), expected)
  t.notMatch(answer.body, internals)
  t.match(log.join(''), inLog)
}

const vaultError = 'GET https://vault.internal/v1/secret?token=hvs.CAESI failed'
const unavailable = {
  statusCode: 503,
  code: 'TOKEN_CLIENT_UNAVAILABLE',
  message: 'Could not get an access token',
}

const getToken = (client: TokenClient) => client.getToken()

const thrown: readonly unknown[] = [
  new Error(vaultError),
  vaultError,
  undefined,
  null,
  { message: 7 },
  Object.create(null),
]
const failWith = (how: 'throws' | 'rejects', what: unknown) => (): Promise<string> => {
  if (how === 'rejects') return Promise.reject(what)
  throw what
}
for (const [index, what] of thrown.entries())
  for (const how of ['throws', 'rejects'] as const)
    t.test(
      `if a secret function ${how} (${index}), that is an outage, and only the log has the error`,
      async t => {
        const { url: tokenEndpoint } = await startTokenEndpoint(t)
        const clientSecret = failWith(how, what)
        const service = await startService(t, { tokenEndpoint, clientSecret }, getToken)
        await checkAnswer(
          t,
          service,
          unavailable,
          index < 2 ? /vault\.internal/ : /unusable_client_credentials/,
        )
      },
    )

const failures: Readonly<Record<string, { behave: Behaviour; expected: object; inLog: RegExp }>> = {
  'a refusal': {
    behave: response =>
      json(response, 400, {
        error: 'invalid_scope',
        error_description: 'AADB2C90205: see https://login.internal',
      }),
    expected: {
      statusCode: 500,
      code: 'TOKEN_CLIENT_REJECTED',
      message: 'The authorization server refused the token request',
    },
    inLog: /invalid_scope \(AADB2C90205: see https:\/\/login\.internal\)/,
  },
  'an outage': {
    behave: (_, request) => void request.socket.destroy(),
    expected: unavailable,
    inLog: /token: (other side closed|read ECONNRESET)/,
  },
}
for (const [what, { behave, expected, inLog }] of Object.entries(failures))
  t.test(`${what} of the authorization server is described only in the log`, async t => {
    const { url: tokenEndpoint } = await startTokenEndpoint(t, behave)
    await checkAnswer(t, await startService(t, { tokenEndpoint }, getToken), expected, inLog)
  })

const answers: Readonly<
  Record<string, { call: (client: TokenClient) => Promise<unknown>; expected: object; inLog: RegExp }>
> = {
  'an unexpected status': {
    call: client => client.get('/receipts?of=ada'),
    expected: { statusCode: 502, message: 'The upstream API responded with an unexpected status' },
    inLog: /GET \/receipts: the API responded with 418/,
  },
  'an unexpected body': {
    call: client => client.get('/text'),
    expected: { statusCode: 502, message: 'The upstream API responded with an unexpected body' },
    inLog: /unexpected response body for GET \/text: not JSON/,
  },
  'a request to another origin': {
    call: client => client.fetch('https://elsewhere.internal/receipts'),
    expected: {
      statusCode: 500,
      message:
        'The request was not sent because the access token is not meant for the origin of the request URL',
    },
    inLog: /the origin of the request is https:\/\/elsewhere\.internal/,
  },
  'a path that an external caller made up': {
    call: client => client.get('/..%2f43/receipts'),
    expected: { statusCode: 500, message: 'the path of a call must not contain .. segments' },
    inLog: /\.\.%2f43/,
  },
}
for (const [what, { call, expected, inLog }] of Object.entries(answers))
  t.test(`${what} is described only in the log`, async t => {
    const { url: tokenEndpoint } = await startTokenEndpoint(t)
    const api = await startApi(t, ({ url }, response) => {
      response.writeHead(url?.startsWith('/v1/text') ? 200 : 418).end('the description')
    })
    const options = { tokenEndpoint, baseUrl: `${api.url}/v1` }
    await checkAnswer(t, await startService(t, options, call), expected, inLog)
  })

t.test('the properties with details are not enumerable', t => {
  const status = {
    status: 500,
    retryAfterMs: undefined,
    responseHeaders: { 'set-cookie': 'internal' },
    body: 'internal',
  }
  for (const error of [
    new TokenRejectedError('invalid_client', 'internal'),
    new TokenUnavailableError('internal', 1_000),
    new OriginNotAllowedError('https://a.internal', 'https://b.internal'),
    new UnexpectedStatusError('GET /internal', status),
    new UnexpectedBodyError('GET /internal', 'internal'),
  ]) {
    t.match(error.detail, /internal/)
    t.match(error.stack, /internal/)
    t.notMatch(JSON.stringify([error.message, Object.entries(error)]), /internal|invalid_client/)
  }
  const { error, errorDescription } = new TokenRejectedError('invalid_client', 'internal')
  t.strictSame([error, errorDescription], ['invalid_client', 'internal'])
  t.end()
})

t.test('a logger that throws does not affect the call or the process', async t => {
  const unhandled: unknown[] = []
  const note = (reason: unknown): void => void unhandled.push(reason)
  process.on('unhandledRejection', note)
  t.teardown(() => process.off('unhandledRejection', note))
  const endpoint = await startTokenEndpoint(t, response => void response.writeHead(500).end())
  const { app } = await startService(t, { tokenEndpoint: endpoint.url, prefetch: 'background' }, getToken)
  app.log.warn = () => {
    throw new Error('the disk is full')
  }
  t.match((await app.inject('/')).json(), unavailable)
  t.strictSame(unhandled, [])
})
