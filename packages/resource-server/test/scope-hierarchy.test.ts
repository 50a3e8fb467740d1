import swagger from '@fastify/swagger'
import t from 'tap'
import resourceServer, {
  createVerifier,
  defineResourceServer,
  type ResourceServerOptions,
} from 'fastify-resource-server'
import { audience, buildApp, registered, startBench } from './protected-app.js'

const scopes = { admin: ['write'], write: ['read'], read: [], audit: ['read'] }

t.test('grants the scopes that a scope includes directly or indirectly', async t => {
  const { app, call, token } = await startBench(t, { scopes })
  const status = async (scope: string, url: string): Promise<number> =>
    (await call(token({ scope }), url)).statusCode
  for (const scope of ['read', 'write', 'admin', 'audit', 'audit admin'])
    t.equal(await status(scope, '/read'), 200, `${scope} may read`)
  for (const scope of ['write', 'admin', 'read admin'])
    t.equal(await status(scope, '/write'), 200, `${scope} may write`)
  for (const scope of ['read', 'audit', 'Admin', 'admin2', ''])
    t.equal(await status(scope, '/write'), 403, `${scope} may not write`)
  t.same((await call(token({ scope: 'admin' }))).json<{ scopes: unknown }>().scopes, ['admin'])
  t.match(await app.oauth.verify(token({ scope: 'admin' }), { scopes: ['read'] }), { scopes: ['admin'] })
  await t.rejects(app.oauth.verify(token({ scope: 'read' }), { scopes: ['write'] }), {
    code: 'OAUTH_INSUFFICIENT_SCOPE',
  })
})

t.test('accepts including scopes with match all and any', async t => {
  const bench = await startBench(t)
  const app = buildApp(t)
  await app.register(resourceServer, {
    issuer: bench.issuer.url,
    audience,
    clock: () => bench.clock.now,
    scopes,
  })
  app.get('/all', { config: { oauth: { scopes: ['write', 'audit'] } } }, async () => 'in')
  app.get('/any', { config: { oauth: { scopes: ['write', 'audit'], match: 'any' } } }, async () => 'in')
  const status = async (scope: string, url: string): Promise<number> =>
    (await app.inject({ url, headers: { authorization: `Bearer ${bench.token({ scope })}` } })).statusCode
  t.equal(await status('admin audit', '/all'), 200)
  t.equal(await status('admin write', '/all'), 403, 'two that include the same one')
  t.equal(await status('admin', '/any'), 200)
  t.equal(await status('read', '/any'), 403)
})

t.test('names only the required scopes in challenges and metadata', async t => {
  const { app, call, token } = await startBench(t, { scopes, resourceMetadata: true })
  const { headers } = await call(token({ scope: 'other' }))
  t.match(headers['www-authenticate'], /error="insufficient_scope".* scope="read"/)
  t.match((await app.inject('/.well-known/oauth-protected-resource')).json(), {
    scopes_supported: ['read', 'write'],
  })
})

t.test('lists the granting scopes of each route', async t => {
  const app = buildApp(t)
  await app.register(resourceServer, { ...registered, scopes })
  app.get('/one', { config: { oauth: { scopes: ['read'] } } }, async () => 'in')
  app.get('/two', { config: { oauth: { scopes: ['write', 'audit'] } } }, async () => 'in')
  await app.ready()
  t.equal(
    app.oauth.printRoutes(),
    `GET,HEAD  /one  read (or admin, write, audit)
GET,HEAD  /two  write (or admin) and audit
`,
  )
  t.same(app.oauth.routes()[0]?.requirement?.acceptedScopes, [['read', 'admin', 'write', 'audit']])
})

const config = (required: [string, ...string[]], match: 'all' | 'any' = 'all') => ({
  config: { oauth: { scopes: required, match } },
})

t.test('documents each sufficient set of scopes in OpenAPI', async t => {
  const wide = { ...scopes, s1: [], s2: [], s3: [] } as Record<string, string[]>
  for (let n = 0; n < 10; n += 1) wide[`all${n}`] = ['s1', 's2', 's3']
  const app = buildApp(t)
  const oauth2 = { type: 'openIdConnect', openIdConnectUrl: 'https://login.example.com' } as const
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Receipts', version: '1' },
      components: { securitySchemes: { oauth2 } },
    },
  })
  await app.register(resourceServer, { ...registered, scopes: wide, securityScheme: 'oauth2' })
  app.get('/one', config(['read']), async () => 'in')
  app.get('/all', config(['read', 'write']), async () => 'in')
  app.get('/apart', config(['write', 'audit']), async () => 'in')
  app.get('/any', config(['write', 'audit'], 'any'), async () => 'in')
  app.get('/wide', config(['s1', 's2', 's3']), async () => 'in')
  await app.ready()
  const { paths } = app.swagger() as {
    paths: Record<string, { get: { security: Record<string, unknown>[] } }>
  }
  const security = (url: string): unknown[] => paths[url]?.get.security.map(({ oauth2 }) => oauth2) ?? []
  t.same(security('/one'), [['read'], ['admin'], ['write'], ['audit']])
  t.same(security('/all'), [['write'], ['admin']], 'without sets that contain another one')
  t.same(security('/apart'), [
    ['write', 'audit'],
    ['admin', 'audit'],
  ])
  t.same(security('/any'), [['write'], ['audit'], ['admin']])
  t.same(security('/wide'), [['s1', 's2', 's3']], 'too many sets for a document')
})

t.test("supports a hierarchy of an API contract's scopes", async t => {
  const descriptions = { read: 'Read receipts', admin: 'Do everything' }
  const api = { audience, scopes: descriptions, requireRoutes: async () => {} }
  const bench = await startBench(t)
  const app = buildApp(t)
  await app.register(resourceServer, {
    issuer: bench.issuer.url,
    clock: () => bench.clock.now,
    api,
    scopes: { admin: ['read'] },
  })
  app.get('/one', { config: { oauth: { scopes: ['read'] } } }, async () => 'in')
  const headers = { authorization: `Bearer ${bench.token({ scope: 'admin' })}` }
  t.equal((await app.inject({ url: '/one', headers })).statusCode, 200)
})

t.test('accepts a chain of 2000 scopes', async t => {
  const length = 2_000
  const chain = Object.fromEntries(
    Array.from({ length }, (_, n) => [`s${n}`, n + 1 < length ? [`s${n + 1}`] : []]),
  )
  const app = buildApp(t)
  await app.register(resourceServer, { ...registered, scopes: chain })
  app.get('/', { config: { oauth: { scopes: [`s${length - 1}`] } } }, async () => 'in')
  await app.ready()
  const [accepted = []] = app.oauth.routes()[0]?.requirement?.acceptedScopes ?? []
  t.equal(accepted.length, length)
  t.same(accepted.slice(0, 2), [`s${length - 1}`, 's0'])

  chain[`s${length - 1}`] = ['s0']
  await t.rejects(async () => buildApp(t).register(resourceServer, { ...registered, scopes: chain }), {
    message: /has a cycle: s0 → s1 → /,
  })
})

t.test('rejects a contradictory catalogue', async t => {
  const cases: [scopes: unknown, message: RegExp][] = [
    [{ a: ['b'], b: ['c'], c: ['b'] }, /`scopes` has a cycle: b → c → b; a scope must not include itself/],
    [{ a: ['a'] }, /has a cycle: a → a/],
    [{ x: ['a'], a: ['b', 'c'], b: [], c: ['d'], d: ['a'] }, /has a cycle: a → c → d → a/],
    [
      { admin: ['raed'], read: [] },
      /`scopes\["admin"\]` contains "raed", which is not a declared scope \(did you mean "read"\?\); add "raed": \[\]/,
    ],
    [{ admin: ['constructor'] }, /contains "constructor", which is not a declared scope/],
    [
      { read: 'Read receipts' },
      /`scopes\["read"\]` is "Read receipts"; expected a list of the scopes that this scope includes/,
    ],
    [{ read: undefined }, /`scopes\["read"\]` is undefined/],
    [{ read: [undefined] }, /`scopes\["read"\]\[0\]` is undefined/],
    [{ 'read write': [] }, /has the scope "read write"; .*without spaces/],
    [{}, /`scopes` is \{\}; expected a list of one or more scopes/],
    [[], /`scopes` is \[\]; expected a list of one or more scopes/],
    [new Map([['read', []]]), /`scopes` is/],
    ['read', /`scopes` is "read"/],
  ]
  for (const [given, message] of cases)
    await t.rejects(
      async () => buildApp(t).register(resourceServer, { ...registered, scopes: given as never }),
      { code: 'OAUTH_INVALID_OPTION', message },
      String(message),
    )
})

t.test('accepts scopes with the names of object members', async t => {
  const bench = await startBench(t)
  const app = buildApp(t)
  const odd = { constructor: ['toString'], toString: [], hasOwnProperty: [] }
  await app.register(resourceServer, {
    issuer: bench.issuer.url,
    audience,
    clock: () => bench.clock.now,
    scopes: odd as unknown as NonNullable<ResourceServerOptions['scopes']>,
  })
  app.get('/', { config: { oauth: { scopes: ['toString'] } } }, async () => 'in')
  const status = async (scope: string): Promise<number> =>
    (await app.inject({ url: '/', headers: { authorization: `Bearer ${bench.token({ scope })}` } }))
      .statusCode
  t.equal(await status('constructor'), 200)
  t.equal(await status('hasOwnProperty'), 403)
})

t.test('derives the scope types of createVerifier from the keys of a hierarchy', async t => {
  const bench = await startBench(t)
  const verifier = await createVerifier({
    issuer: bench.issuer.url,
    audience,
    clock: () => bench.clock.now,
    scopes: { admin: ['read'], read: [] },
  })
  t.teardown(() => verifier.close())
  const token = await verifier.verify(bench.token({ scope: 'admin' }), { scopes: ['read'] })
  t.same(token.scopes satisfies readonly ('admin' | 'read')[], ['admin'])
  // @ts-expect-error -- not in the catalogue
  await t.rejects(verifier.verify(bench.token(), { scopes: ['raed'] }), { code: 'OAUTH_GUARD_FAILED' })
})

t.test('derives the scope types of defineResourceServer from the keys of a hierarchy', async t => {
  const bench = await startBench(t)
  const receipts = defineResourceServer({ scopes: { admin: ['read'], read: [] } })
  const app = buildApp(t)
  await app.register(receipts.plugin, {
    issuer: bench.issuer.url,
    audience,
    clock: () => bench.clock.now,
  })
  app.get('/', { config: receipts.protect({ scopes: ['read'] }) }, async ({ auth }) => {
    const [first] = auth.scopes satisfies readonly ('admin' | 'read')[]
    return first
  })
  const headers = { authorization: `Bearer ${bench.token({ scope: 'admin' })}` }
  t.equal((await app.inject({ url: '/', headers })).body, 'admin')

  // @ts-expect-error -- not in the catalogue
  void (() => receipts.protect({ scopes: ['raed'] }))
  // @ts-expect-error -- it includes a scope that is not in the catalogue
  void (() => defineResourceServer({ scopes: { admin: ['raed'], read: [] } }))
  // @ts-expect-error -- descriptions are for `defineApi`
  void (() => defineResourceServer({ scopes: { read: 'Read receipts' } }))
})
