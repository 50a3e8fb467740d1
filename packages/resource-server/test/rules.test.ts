import fastifyAuth from '@fastify/auth'
import fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import resourceServer, { type ResourceServerOptions } from 'fastify-resource-server'
import { audience, startBench } from './protected-app.js'
import { makeKey } from './hand-made-issuer.js'

const key = makeKey('first')
const registered = {
  issuer: 'https://login.example.com',
  audience,
  keys: [key.jwk],
  scopes: ['read', 'write'],
} satisfies ResourceServerOptions

function build(t: Test): FastifyInstance {
  const app = fastify()
  t.teardown(() => app.close())
  return app
}

t.test('a requirement that nobody checks stops the application', async t => {
  const inert = /config\.oauth does nothing here; register fastify-resource-server in this scope or around it/
  const never = build(t)
  never.get('/receipts', { config: { oauth: { scopes: ['read'] } } }, async () => 'in')
  await t.rejects(
    async () => never.ready(),
    { code: 'OAUTH_INVALID_ROUTE', message: inert },
    'never registered',
  )

  const sibling = build(t)
  await sibling.register(async child => child.register(resourceServer, registered))
  await sibling.register(async child => {
    child.post('/receipts', { config: { oauth: {} } }, async () => 'in')
  })
  await t.rejects(async () => sibling.ready(), { message: /^.*POST \/receipts: config\.oauth does nothing/ })

  const earlier = build(t)
  await earlier.register(async child => {
    child.get('/receipts', { config: { oauth: { scopes: ['read'] } } }, async () => 'in')
  })
  await earlier.register(resourceServer, registered)
  await t.rejects(
    async () => earlier.ready(),
    { message: inert },
    'in a child scope that is older than the plugin',
  )

  const fine = build(t)
  fine.get('/health', { config: { oauth: false } }, async () => 'well')
  await t.resolves(async () => fine.ready(), 'a public route needs nobody')
})

t.test('routes declared before the plugin ran are checked as well', async t => {
  const app = build(t)
  app.register(resourceServer, registered)
  app.get('/receipts', { config: { oauth: { scopes: ['raed'] } } }, async () => 'in')
  await t.rejects(async () => app.ready(), { message: /GET \/receipts: .*did you mean "read"/ })
})

t.test('what a later hook makes of a route is checked, listed and enforced', async t => {
  const change = async (oauth: unknown): Promise<FastifyInstance> => {
    const app = build(t)
    await app.register(resourceServer, registered)
    app.addHook('onRoute', route => void Object.assign((route.config ??= {}), { oauth }))
    app.get('/receipts', { config: { oauth: {} } }, async () => 'in')
    return app
  }
  await t.rejects(async () => (await change({ scope: ['read'] })).ready(), {
    code: 'OAUTH_INVALID_ROUTE',
    message: /GET \/receipts: config\.oauth has no key "scope" \(did you mean "scopes"\?\)/,
  })
  const stricter = await change({ scopes: ['write'] })
  await stricter.ready()
  t.equal(stricter.oauth.printRoutes(), 'GET,HEAD  /receipts  write\n')
  const open = await change(false)
  t.equal((await open.inject('/receipts')).statusCode, 200)
  t.equal(open.oauth.printRoutes(), 'GET,HEAD  /receipts  public\n')
})

t.test('one config object for several routes, changed in between', async t => {
  const app = build(t)
  await app.register(resourceServer, registered)
  const config = { oauth: { scopes: ['read'] as [string] } }
  app.get('/one', { config }, async () => 'in')
  config.oauth = { scopes: ['write'] }
  app.get('/two', { config }, async () => 'in')
  t.match(app.oauth.printRoutes(), /\/one +read\n.*\/two +write\n/)
  config.oauth = { scopes: ['wirte'] }
  t.throws(() => app.get('/three', { config }, async () => 'in'), { message: /did you mean "write"/ })
})

t.test("default: 'deny' wants a decision of every route", async t => {
  const undecided = /GET \/receipts: nothing says who may call it, and the option `default` is 'deny'/
  const app = build(t)
  await app.register(resourceServer, { ...registered, default: 'deny' })
  t.throws(() => app.get('/receipts', async () => 'in'), { code: 'OAUTH_INVALID_ROUTE', message: undecided })

  const before = build(t)
  before.get('/receipts', async () => 'in')
  await t.rejects(async () => before.register(resourceServer, { ...registered, default: 'deny' }), {
    message: undecided,
  })

  const decided = build(t)
  await decided.register(resourceServer, { ...registered, default: 'deny' })
  decided.get('/any', { config: { oauth: {} } }, async () => 'in')
  decided.get('/public', { config: { oauth: false } }, async () => 'in')
  decided.options('*', async () => '')
  t.equal((await decided.inject('/any')).statusCode, 401)
  t.equal((await decided.inject('/public')).statusCode, 200)
  t.equal((await decided.inject({ method: 'OPTIONS', url: '/any' })).statusCode, 401, 'no preflight')
})

t.test("default: 'ignore' guards only what asks for it", async t => {
  const bench = await startBench(t, { default: 'ignore' })
  t.equal((await bench.send(undefined, '/any')).statusCode, 200)
  t.equal((await bench.send('Bearer garbage', '/any')).statusCode, 200)
  t.equal((await bench.send(undefined, '/read')).statusCode, 401)
  await t.rejects(
    async () => build(t).register(resourceServer, { ...registered, default: 'allow' as never }),
    { code: 'OAUTH_INVALID_OPTION', message: /`default` is "allow"; it wants 'require', 'deny' or 'ignore'/ },
  )
})

t.test('every route can be listed with its rule', async t => {
  const app = build(t)
  const warnings: unknown[] = []
  app.log.warn = (details: unknown) => void warnings.push(details)
  await app.register(async docs => docs.get('/docs', async () => 'docs'))
  app.get('/before', async () => 'in')
  await app.register(resourceServer, { ...registered, audience: [audience, 'urn:other'] })
  app.get('/receipts', { config: { oauth: { scopes: ['read', 'write'] } } }, async () => 'in')
  app.post(
    '/receipts',
    { config: { oauth: { scopes: ['read', 'write'], match: 'any', orRoles: ['Clerk'], audience } } },
    async () => 'in',
  )
  app.get('/me', { config: { oauth: { optional: true } } }, async () => 'in')
  await app.register(async child => {
    child.get('/health', { config: { oauth: false } }, async () => 'well')
  })
  await app.ready()

  t.match(app.oauth.routes(), [
    { url: '/docs', access: 'unguarded', requirement: null },
    { methods: ['GET', 'HEAD'], url: '/before', access: 'protected', requirement: { scopes: [] } },
    { url: '/receipts', access: 'protected', requirement: { scopes: ['read', 'write'], match: 'all' } },
    { methods: ['POST'], url: '/receipts', requirement: { match: 'any', orRoles: ['Clerk'], audience } },
    { url: '/me', access: 'optional' },
    { url: '/health', access: 'public', requirement: null },
  ])
  t.equal(
    app.oauth.printRoutes(),
    `GET,HEAD  /docs      unguarded
GET,HEAD  /before    any token
GET,HEAD  /receipts  read and write
POST      /receipts  read or write or role Clerk for https://api.example.com
GET,HEAD  /me        any token (optional)
GET,HEAD  /health    public
`,
  )
  t.match(warnings, [{ routes: ['GET, HEAD /docs'] }], 'the operator hears of unguarded routes')
})

t.test('sibling scopes list their own routes', async t => {
  const app = build(t)
  const lists: string[] = []
  for (const prefix of ['/one', '/two'])
    await app.register(
      async child => {
        await child.register(resourceServer, registered)
        child.get('/', async () => 'in')
        child.addHook(
          'onReady',
          async () =>
            void lists.push(
              child.oauth
                .routes()
                .map(({ url }) => url)
                .join(),
            ),
        )
      },
      { prefix },
    )
  await app.ready()
  t.strictSame(
    lists,
    ['/one/,/one', '/two/,/two'].map(list => lists.find(found => found.startsWith(list.slice(0, 4)))),
  )
  t.equal(app.hasDecorator('oauth'), false)
})

t.test('oauth.verify checks a token that came another way', async t => {
  const bench = await startBench(t)
  const { oauth } = bench.app
  t.match(await oauth.verify(bench.token()), { clientId: 'payment', scopes: ['read'] })
  t.match(await oauth.verify(bench.token(), { scopes: ['read'] }), { subject: 'payment' })
  await t.rejects(oauth.verify(bench.token(), { scopes: ['write'] }), {
    code: 'OAUTH_INSUFFICIENT_SCOPE',
    statusCode: 403,
  })
  t.equal(bench.lastReason(), 'scope')
  for (const bad of ['garbage', '', bench.token({ exp: 1 }), undefined as never])
    await t.rejects(oauth.verify(bad), { code: 'OAUTH_INVALID_TOKEN', statusCode: 401 })
  await t.rejects(oauth.verify(bench.token(), { scopes: ['wirte'] }), { message: /did you mean "write"/ })
  await t.rejects(oauth.verify(bench.token(), { optional: true } as never), { code: 'OAUTH_INVALID_ROUTE' })
  const bound = await startBench(t, { dpop: 'allow' })
  await t.rejects(bound.app.oauth.verify(bound.token(), { dpop: 'require' } as never), {
    code: 'OAUTH_INVALID_ROUTE',
    message: /no `dpop: 'require'`/,
  })
  t.match(await bound.app.oauth.verify(bound.token(), { dpop: 'off' } as never), { subject: 'payment' })
})

t.test('oauth.verify tells an outage from a bad token', async t => {
  const bench = await startBench(t)
  bench.issuer.goAway()
  bench.clock.now += 10_000_000
  await t.rejects(bench.app.oauth.verify(bench.token()), { code: 'OAUTH_KEYS_UNAVAILABLE', statusCode: 503 })
})

const bySecret = async (request: { headers: Record<string, unknown> }): Promise<void> => {
  if (request.headers['x-secret'] !== 'open') throw new Error('no secret')
}

t.test('oauth.authenticate is one of several ways with @fastify/auth', async t => {
  const bench = await startBench(t, { default: 'ignore', problemDetails: true })
  const app = build(t)
  await app.register(fastifyAuth)
  await app.register(resourceServer, {
    ...registered,
    issuer: bench.issuer.url,
    keys: [bench.key.jwk],
    clock: () => bench.clock.now,
    default: 'ignore',
    problemDetails: true,
  })
  app.get(
    '/either',
    { preHandler: app.auth([app.oauth.authenticate({ scopes: ['read'] }), bySecret as never]) },
    async request => request.auth?.clientId ?? 'by secret',
  )
  app.get('/alone', { onRequest: app.oauth.authenticate({ scopes: ['write'] }) }, async () => 'in')
  const call = async (url: string, headers: Record<string, string>) => app.inject({ url, headers })
  const bearer = { authorization: `Bearer ${bench.token()}` }
  t.equal((await call('/either', bearer)).body, 'payment')
  t.equal((await call('/either', { 'x-secret': 'open' })).body, 'by secret')
  const refused = await call('/alone', bearer)
  t.equal(refused.statusCode, 403)
  t.match(refused.headers['www-authenticate'], /insufficient_scope.*scope="write"/)
  t.throws(() => app.oauth.authenticate({ scopes: ['raed'] as never }), { message: /did you mean "read"/ })
})

t.test('fastify.oauth of another plugin is not overwritten', async t => {
  const app = build(t)
  app.decorate('oauth', {} as never)
  await t.rejects(async () => app.register(resourceServer, registered), {
    code: 'OAUTH_INVALID_OPTION',
    message: /fastify\.oauth exists already/,
  })
})
