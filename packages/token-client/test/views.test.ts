import { inspect } from 'node:util'
import fastify, { type FastifyInstance } from 'fastify'
import { createTestIssuer, type TestIssuer } from 'oauth-test-issuer'
import t, { type Test } from 'tap'
import resourceServer from 'fastify-resource-server'
import { createTokenClient, type TokenClient, type TokenClientOptions } from 'fastify-token-client'

const audience = 'https://receipts.example.com'
const scopes = ['receipts:read', 'receipts:write']

/** A real API behind the resource server, that says who calls with what. */
async function startApi(t: Test, issuer: TestIssuer): Promise<string> {
  const api: FastifyInstance = fastify()
  await api.register(resourceServer, { issuer: issuer.url, audience, scopes })
  api.get('/who', async ({ auth }) => ({ subject: auth.subject, client: auth.clientId, scopes: auth.scopes }))
  t.teardown(() => api.close())
  return api.listen({ host: '127.0.0.1', port: 0 })
}

async function start(
  t: Test,
  more: Partial<TokenClientOptions> = {},
): Promise<{ issuer: TestIssuer; client: TokenClient }> {
  const issuer = await createTestIssuer({
    clients: [
      {
        clientId: 'payment',
        clientSecret: 'only here',
        audience,
        scopes,
        grants: ['client_credentials', 'token_exchange', 'jwt_bearer'],
        ownAudience: 'payment',
      },
    ],
  })
  t.teardown(() => issuer.close())
  const client = createTokenClient({
    baseUrl: await startApi(t, issuer),
    issuer: issuer.url,
    clientId: 'payment',
    clientSecret: 'only here',
    scopes: ['receipts:read'],
    resource: audience,
    ...more,
  })
  t.teardown(() => client.close())
  return { issuer, client }
}

t.test('with() requests other scopes, and each view caches its own token', async t => {
  const { issuer, client } = await start(t)
  const writer = client.with({ scopes: ['receipts:write'] })
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, index) => (index % 2 === 0 ? client : writer).get('/who')),
  )
  answers.forEach(({ body }, index) =>
    t.match(body, { client: 'payment', scopes: [index % 2 === 0 ? 'receipts:read' : 'receipts:write'] }),
  )
  t.equal(issuer.requests.count('token'), 2, 'one token request for each kind of token')
  t.equal(client.with({ scopes: ['receipts:write'] }), writer, 'the same target is the same view')
})

for (const onBehalfOfGrant of ['token_exchange', 'jwt_bearer'] as const)
  t.test(`onBehalfOf calls the API on behalf of the caller, with ${onBehalfOfGrant}`, async t => {
    const { issuer, client } = await start(t, { onBehalfOfGrant })
    const tokenOf = (subject: string): Promise<string> =>
      issuer.token({ audience: 'payment', subject, scopes: ['receipts:read'] })
    const [ada, bob] = [await tokenOf('ada'), await tokenOf('bob')]
    const requests = [ada, bob, ada].map(token => ({ headers: { authorization: `Bearer ${token}` } }))
    const subjects = await Promise.all(
      requests.map(async request => (await client.onBehalfOf(request).get('/who')).body),
    )
    t.match(subjects, [{ subject: 'ada' }, { subject: 'bob' }, { subject: 'ada' }])
    t.equal(issuer.requests.count('token'), 2, 'kept for each subject token')
    t.match((await client.onBehalfOf(ada).get('/who')).body, { subject: 'ada' }, 'the token itself will do')
    const bound = { headers: { authorization: `DPoP ${ada}` } } // RFC 9449 §7.1
    t.match((await client.onBehalfOf(bound).get('/who')).body, { subject: 'ada' })
    t.equal(issuer.requests.count('token'), 2)
  })

t.test('an exchanged token expires with the subject token', async t => {
  const { issuer, client } = await start(t)
  const subject = await issuer.token({ audience: 'payment', subject: 'ada', expiresInMs: 20_000 })
  const token = await client.onBehalfOf(subject).getToken()
  t.ok(token.expiresAt <= issuer.clock.now() + 20_000)
  t.ok(token.expiresAt > issuer.clock.now() + 10_000)
})

t.test('views are cached for at most a thousand callers', async t => {
  const { client } = await start(t)
  const [first, ...others] = Array.from({ length: 1_002 }, (_, index) => client.onBehalfOf(`caller-${index}`))
  t.equal(client.onBehalfOf('caller-1001'), others.at(-1))
  t.not(client.onBehalfOf('caller-0'), first)
})

t.test('an expired subject token causes no token request', async t => {
  const { issuer, client } = await start(t)
  const ended = await issuer.token({ audience: 'payment', subject: 'ada', expiresInMs: -10_000 })
  for (let call = 0; call < 3; call += 1)
    await t.rejects(client.onBehalfOf(ended).getToken(), {
      code: 'TOKEN_CLIENT_REJECTED',
      detail: /has expired/,
    })
  t.equal(issuer.requests.count('token'), 0)
})

t.test('a target with unknown options is refused', async t => {
  const { issuer, client } = await start(t)
  const scope = { scope: ['receipts:write'] } as never
  for (const open of [() => client.with(scope), () => client.onBehalfOf('theirs', scope)])
    t.throws(open, {
      code: 'TOKEN_CLIENT_INVALID_OPTION',
      message: /there is no option `scope`; did you mean `scopes`\?/,
    })
  t.equal(issuer.requests.count('token'), 0)
})

t.test('a target that is not an object literal is refused, because its copy would be empty', async t => {
  const { issuer, client } = await start(t)
  const wrong: [target: unknown, kind: RegExp][] = [
    [Promise, /not a function/],
    [Promise.resolve({ scopes: ['receipts:write'] }), /not a Promise \(is an `await` missing\?\)/],
    [new Map([['scopes', ['receipts:write']]]), /not an instance of Map/],
    [new URLSearchParams('scopes=receipts:write'), /not an instance of URLSearchParams/],
    [['receipts:write'], /not \["receipts:write"\]/],
    ['receipts:write', /not "receipts:write"/],
    [null, /not null/],
    [7, /not 7/],
    [Object.create({ scopes: ['receipts:write'] }), /not an object with a custom prototype/],
  ]
  for (const [target, message] of wrong)
    for (const open of [
      () => client.with(target as never),
      () => client.onBehalfOf('theirs', target as never),
    ])
      t.throws(open, { code: 'TOKEN_CLIENT_INVALID_OPTION', message }, inspect(target))
  t.throws(() => client.with(undefined as never), {
    message: /with expects an object of options, not undefined/,
  })
  for (const thrown of [null, undefined, 0, new Error('vault')]) {
    const target = Object.defineProperty({}, 'scopes', {
      enumerable: true,
      get() {
        throw thrown
      },
    })
    t.throws(() => client.with(target), {
      code: 'TOKEN_CLIENT_INVALID_OPTION',
      message: /option `scopes` cannot be read/,
    })
  }
  t.equal(issuer.requests.count('token'), 0)
})

t.test('onBehalfOf requires a token', async t => {
  const { client } = await start(t)
  t.throws(() => client.onBehalfOf({ headers: {} }), /check that the route requires a token/)
  t.throws(
    () => client.onBehalfOf({ headers: { authorization: 'Basic abc' } }),
    /check that the route requires a token/,
  )
})

t.test('ensureToken responds with 503 before the handler runs', async t => {
  const { issuer, client } = await start(t)
  issuer.fail('token', { status: 503 })
  const app = fastify()
  t.teardown(() => app.close())
  let reached = 0
  app.get('/', { preHandler: () => client.ensureToken() }, async () => (reached += 1))
  const refused = await app.inject('/')
  t.equal(refused.statusCode, 503)
  t.ok(Number(refused.headers['retry-after']) >= 1)
  t.equal(reached, 0)
})
