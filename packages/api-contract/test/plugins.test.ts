import fastify, { type FastifyInstance } from 'fastify'
import { answer, defineApi } from 'fastify-api-contract'
import resourceServer from 'fastify-resource-server'
import tokenClient, {
  createTokenClient,
  type TokenClientFor,
  type TokenClientOptions,
} from 'fastify-token-client'
import { createTestIssuer } from 'oauth-test-issuer'
import t, { type Test } from 'tap'
import { Type } from 'typebox'
import { startReceipts, type Bench } from './protected-receipts.js'
import { receiptsApi } from './receipts-api.js'

const used = receiptsApi.pick('putReceipt')
const several = receiptsApi.pick('getReceipt', 'listReceipts', 'deleteReceipt', 'status')

declare module 'fastify' {
  interface FastifyInstance {
    receipts: TokenClientFor<typeof used>
    several: TokenClientFor<typeof several>
  }
}

const params = { paymentId: '1' }
const body = { title: 'Emma', cents: 1250 }

/** The common options of all clients of the receipt service. */
function connection({ issuer, url }: Bench) {
  return { baseUrl: url, issuer: issuer.url, clientId: 'payment', clientSecret: 'only here' }
}

/** Creates an application that is closed at the end of the test. */
function build(t: Test): FastifyInstance {
  const app = fastify()
  t.teardown(() => app.close())
  return app
}

/** The scopes of all token requests. */
function asked({ issuer }: Bench): object[] {
  return issuer.requests
    .of('token')
    .map(({ scope, targets }) => ({ scope, targets }))
    .sort((a, b) => (String(a.scope) < String(b.scope) ? -1 : 1))
}

t.test(
  'a decorated client requests exactly the scopes and the audience that its operations need',
  async t => {
    const bench = await startReceipts(t)
    const app = build(t)
    await app.register(tokenClient, {
      name: 'receipts',
      ...connection(bench),
      api: used,
      prefetch: 'required',
    })
    await app.ready()
    t.strictSame(asked(bench), [{ scope: 'receipts:write', targets: [receiptsApi.audience] }])
    const put = await app.receipts.call('putReceipt', { params, body })
    t.match(put, { status: 201, body: { number: 'R-1', cents: 1250 } })
    t.equal(bench.issuer.requests.count('token'), 1, 'the call uses the prefetched token')
    const byHand = await app.receipts.request({ path: '/receipts/1' })
    t.match([byHand.statusCode, byHand.headers['www-authenticate']], [403, /insufficient_scope/])
    await byHand.body.dump()
    const reading = app.receipts.with({ scopes: ['receipts:read'] })
    t.equal((await reading.get('/receipts/1')).status, 200)
  },
)

t.test('createTokenClient has the typed call and requests further scopes from the options', async t => {
  const bench = await startReceipts(t)
  const client = createTokenClient({ ...connection(bench), api: used, scopes: ['receipts:read'] })
  t.teardown(() => client.close())
  t.equal((await client.call('putReceipt', { params, body })).status, 201)
  t.equal((await client.get('/receipts/1')).status, 200)
  t.strictSame(asked(bench), [{ scope: 'receipts:write receipts:read', targets: [receiptsApi.audience] }])
})

t.test('sends a token with the scopes of the called operation only, with a token per operation', async t => {
  const bench = await startReceipts(t)
  const app = build(t)
  await app.register(tokenClient, {
    name: 'several',
    ...connection(bench),
    api: several,
    tokens: 'per-operation',
    prefetch: 'required',
  })
  await app.ready()
  const targets = [receiptsApi.audience]
  const expected = [
    { scope: 'receipts:read', targets },
    // The scopes of deleteReceipt and of operations without scopes.
    { scope: 'receipts:read receipts:write', targets },
  ]
  t.strictSame(asked(bench), expected, 'all tokens are fetched ahead, each once')
  const seen: string[] = []
  bench.app.server.on('request', ({ headers }) => {
    const [, payload = ''] = String(headers.authorization).split('.')
    seen.push((JSON.parse(Buffer.from(payload, 'base64url').toString()) as { scope: string }).scope)
  })
  t.equal((await app.several.call('getReceipt', { params })).status, 404)
  t.equal((await app.several.call('deleteReceipt', { params })).status, 204)
  t.equal((await app.several.call('listReceipts')).status, 200)
  t.equal((await app.several.call('status')).status, 200)
  const all = 'receipts:read receipts:write'
  t.strictSame(seen, ['receipts:read', all, all, all])
  t.strictSame(asked(bench), expected)
})

t.test('requests the audience in the form of the profile', async t => {
  const forms: [profile: NonNullable<TokenClientOptions['profile']>, scope: string, targets: string[]][] = [
    ['rfc9068', 'receipts:write', [receiptsApi.audience]],
    ['generic', 'receipts:write', [receiptsApi.audience]],
    ['auth0', 'receipts:write', [receiptsApi.audience]],
    ['entra', `${receiptsApi.audience}/.default`, []],
    ['keycloak', 'receipts:write', []],
    ['okta', 'receipts:write', []],
    ['cognito', 'receipts:write', []],
  ]
  for (const [profile, scope, targets] of forms) {
    const issuer = await createTestIssuer()
    const client = createTokenClient({
      baseUrl: 'https://receipts.example.com',
      issuer: issuer.url,
      clientId: 'payment',
      clientSecret: 'not registered, so there is no token',
      profile,
      api: used,
    })
    await t.rejects(client.call('putReceipt', { params, body }), { code: 'TOKEN_CLIENT_REJECTED' })
    const [request] = issuer.requests.of('token')
    t.match({ scope: request?.scope, targets: request?.targets }, { scope, targets }, profile)
    await client.close()
    await issuer.close()
  }
})

t.test('rejects contradictory client options', async t => {
  const options = {
    baseUrl: 'https://receipts.example.com',
    issuer: 'https://login.example.com',
    clientId: 'payment',
    clientSecret: 'x',
  }
  const wrong: [more: object, message: RegExp][] = [
    [{ api: receiptsApi }, /^option `api` is a whole API; pass api\.pick\(…\)/],
    [
      { api: ['putReceipt'] },
      /^option `api` is \["putReceipt"\]; expected the operations that this client calls/,
    ],
    [{ api: { ...used, audience: 5 } }, /^option `api` is \{ audience, scopes, operations, over \}/],
    [
      { api: used, resource: 'https://other.example.com' },
      /^option `resource` cannot be combined with `api`/,
    ],
    [{ api: used, audience: receiptsApi.audience }, /^option `audience` cannot be combined with `api`/],
    [{ tokens: 'per-operation' }, /^option `tokens` has no effect without `api`/],
    [{ api: used, tokens: 'each' }, /^option `tokens` is "each"; expected/],
    [
      { api: used, tokens: 'per-operation', profile: 'entra' },
      /^option `tokens` is "per-operation", but with this profile, every token/,
    ],
    [
      { api: used, profile: 'entra', scopes: ['receipts:read'] },
      /^options `scopes` and `resource` cannot be combined/,
    ],
  ]
  for (const [more, message] of wrong)
    // The cast: JavaScript callers can pass any value.
    t.throws(
      () => createTokenClient({ ...options, ...more } as TokenClientOptions),
      { code: 'TOKEN_CLIENT_INVALID_OPTION', message: new RegExp(message.source.slice(1)) },
      String(message),
    )
})

t.test('accepts tokens for the audience of the contract and publishes its scopes', async t => {
  const bench = await startReceipts(t)
  const ask = async (audience: string, scopes: string[]) => {
    const authorization = `Bearer ${await bench.issuer.token({ audience, scopes })}`
    return (await bench.app.inject({ url: '/receipts/1', headers: { authorization } })).statusCode
  }
  t.equal(await ask(receiptsApi.audience, ['receipts:read']), 404)
  t.equal(await ask(receiptsApi.audience, ['receipts:write']), 403)
  t.equal(await ask('https://other.example.com', ['receipts:read']), 401)
})

const issuer = 'https://login.example.com'
const small = defineApi({
  audience: 'https://small.example.com',
  scopes: { read: 'Read' },
  operations: {
    one: { method: 'GET', path: '/one', scopes: ['read'], responses: { 200: Type.String() } },
  },
})
const one = small.route('one', () => answer(200, '1'))

t.test('the server does not start if an operation has no route', async t => {
  const missing = { code: 'API_CONTRACT_INVALID', message: /the route of one \(GET \/one\)/ }
  const app = build(t)
  await app.register(resourceServer, { issuer, api: small })
  await t.rejects(async () => app.ready(), missing)
  const complete = build(t)
  await complete.register(
    async scope => {
      await scope.register(resourceServer, { issuer, api: small })
      scope.route(one)
    },
    { prefix: '/v1' },
  )
  await t.resolves(async () => complete.ready())
})

t.test('accepts scopes of the contract and of the option in other routes', async t => {
  const start = async (scopes: string[], option?: readonly string[]) => {
    const app = build(t)
    await app.register(resourceServer, { issuer, api: small, ...(option && { scopes: option }) })
    app.route(one)
    app.get('/by-hand', { config: { oauth: { scopes: scopes as [string] } } }, async () => 'well')
    await app.ready()
  }
  await t.resolves(start(['read']))
  await t.resolves(start(['write'], ['write']))
  await t.rejects(start(['raed']), {
    message: /contains "raed", which is not declared in .*did you mean/,
  })
})

t.test('rejects an audience option without the audience of the contract', async t => {
  const { audience } = small
  const start = async (options: object) => {
    const app = build(t)
    await app.register(resourceServer, { api: small, ...options })
    app.route(one)
    await app.ready()
  }
  await t.resolves(start({ issuer, audience }))
  await t.resolves(start({ issuer, audience: [audience, 'the id of an application'] }))
  await t.resolves(start({ issuers: [{ issuer, audience }] }))
  await t.resolves(start({ issuer, api: { ...small, audience: 'https://staging.example.com' } }))
  const other = 'https://other.example.com'
  const wrong: [options: object, message: RegExp][] = [
    [
      { issuer, audience: other },
      /option `audience` is \["https:\/\/other.*which does not contain the audience of `api`; add "https:\/\/small/,
    ],
    [
      {
        issuers: [
          { issuer, audience },
          { issuer: `${issuer}/2`, audience: other },
        ],
      },
      /which does not contain the audience of `api`/,
    ],
    [{ issuer, audience: undefined }, /option `audience` is undefined/],
    [
      { issuer, api: small.pick('one') },
      /option `api` is the result of pick\(…\), which contains the operations of only one client; pass the result of defineApi/,
    ],
    [{ issuer, api: {} }, /option `api` is \{\}; expected an object with audience, scopes and requireRoutes/],
  ]
  for (const [options, message] of wrong)
    await t.rejects(start(options), { code: 'OAUTH_INVALID_OPTION', message }, String(message))
})
