import resourceServer from 'fastify-resource-server'
import t from 'tap'
import { audience, buildApp, registered, startBench } from './protected-app.js'

t.test('protects existing routes, and answers unknown routes with 404', async t => {
  const bench = await startBench(t)
  const status = async (
    method: 'GET' | 'HEAD' | 'POST' | 'OPTIONS',
    url: string,
    headers: Record<string, string> = {},
  ): Promise<number> => (await bench.app.inject({ method, url, headers })).statusCode
  t.equal(await status('GET', '/absent'), 404)
  t.equal(await status('POST', '/read'), 404)
  t.equal(await status('HEAD', '/read'), 401)
  t.equal(await status('HEAD', '/read', { authorization: `Bearer ${bench.token()}` }), 200)
  t.equal(await status('GET', '/public'), 200)
  t.equal(await status('GET', '/any'), 401, 'a route that says nothing is protected')
  t.equal(
    await status('GET', '/any', { authorization: `Bearer ${bench.token({ scope: undefined })}` }),
    200,
    'by any valid token',
  )
})

t.test('accepts a CORS preflight without a token, but no other OPTIONS request', async t => {
  const app = buildApp(t)
  await app.register(resourceServer, registered)
  app.options('/read', async () => 'options')
  app.options('/guarded', { config: { oauth: { scopes: ['read'] } } }, async () => 'options')
  const preflight = { origin: 'https://shop.example.com', 'access-control-request-method': 'GET' }
  t.equal((await app.inject({ method: 'OPTIONS', url: '/read', headers: preflight })).statusCode, 200)
  t.equal((await app.inject({ method: 'OPTIONS', url: '/read' })).statusCode, 401)
  t.equal((await app.inject({ method: 'OPTIONS', url: '/guarded', headers: preflight })).statusCode, 401)
})

t.test('does not accept a preflight on a route for several methods', async t => {
  const app = buildApp(t)
  await app.register(resourceServer, registered)
  app.all('/all', async () => 'in')
  app.route({ method: ['OPTIONS', 'POST'], url: '/two', handler: async () => 'in' })
  app.route({ method: ['OPTIONS'], url: '/one', handler: async () => 'options' })
  const headers = { origin: 'https://evil.example.com', 'access-control-request-method': 'GET' }
  for (const [url, status] of [
    ['/all', 401],
    ['/two', 401],
    ['/one', 200],
  ] as const)
    t.equal((await app.inject({ method: 'OPTIONS', url, headers })).statusCode, status, url)
})

t.test('guards routes declared before the plugin, but not sibling scopes', async t => {
  const app = buildApp(t)
  app.get('/before', async () => 'in')
  await app.register(async child => {
    child.get('/before-in-child', async () => 'in')
    await child.register(resourceServer, registered)
    child.get('/inside', async () => 'in')
    await child.register(async grandchild => grandchild.get('/deeper', async () => 'in'))
  })
  app.get('/outside', async () => 'in')
  const statuses = await Promise.all(
    ['/before', '/before-in-child', '/inside', '/deeper', '/outside'].map(
      async url => (await app.inject(url)).statusCode,
    ),
  )
  t.strictSame(statuses, [200, 401, 401, 401, 200])
})

t.test('accepts requests without a token on optional routes, but refuses invalid tokens', async t => {
  const app = buildApp(t)
  await app.register(resourceServer, registered)
  app.get('/', { config: { oauth: { optional: true } } }, async request => ({
    auth: request.auth as unknown,
  }))
  t.strictSame((await app.inject('/')).json(), { auth: null })
  t.equal((await app.inject({ url: '/', headers: { authorization: 'Bearer garbage' } })).statusCode, 401)
  t.equal((await app.inject({ url: '/', headers: { authorization: 'Bearer a b' } })).statusCode, 400)
})

t.test('accepts any of several scopes, or a role instead', async t => {
  const bench = await startBench(t, { scopes: ['read', 'write'] })
  const app = buildApp(t)
  await app.register(resourceServer, {
    issuer: bench.issuer.url,
    audience,
    keys: [bench.key.jwk],
    scopes: ['read', 'write'],
    clock: () => bench.clock.now,
  })
  app.get('/any', { config: { oauth: { scopes: ['read', 'write'], match: 'any' } } }, async () => 'in')
  app.get('/all', { config: { oauth: { scopes: ['read', 'write'] } } }, async () => 'in')
  app.get('/only-role', { config: { oauth: { roles: ['Clerk', 'Receipts.Write.All'] } } }, async () => 'in')
  app.get(
    '/role',
    { config: { oauth: { scopes: ['write'], roles: ['Receipts.Write.All'] } } },
    async () => 'in',
  )
  const status = async (url: string, claims: Record<string, unknown>): Promise<number> =>
    (await app.inject({ url, headers: { authorization: `Bearer ${bench.token(claims)}` } })).statusCode
  t.equal(await status('/any', { scope: 'write' }), 200)
  t.equal(await status('/all', { scope: 'write' }), 403)
  t.equal(await status('/all', { scope: 'write read' }), 200)
  t.equal(await status('/role', { scope: '', roles: ['Receipts.Write.All'] }), 200)
  t.equal(await status('/role', { scope: '', roles: ['Receipts.Write'] }), 403)
  t.equal(await status('/role', { scope: 'write' }), 200)
  t.equal(await status('/only-role', { roles: ['Receipts.Write.All'] }), 200)
  t.equal(
    await status('/only-role', { roles: ['receipts.write.all'], scope: 'Clerk' }),
    403,
    'a scope is no role',
  )
  t.equal(await status('/only-role', {}), 403, 'no role')
  const lacking = await app.inject({
    url: '/only-role',
    headers: { authorization: `Bearer ${bench.token({ roles: ['Reader'] })}` },
  })
  t.equal(
    lacking.headers['www-authenticate'],
    'Bearer error="insufficient_scope", error_description="The access token does not have the required scope"',
    'no scope is named where only a role helps',
  )
  t.match(app.oauth.printRoutes(), /\/only-role +role Clerk or Receipts\.Write\.All\n/)
  t.match(app.oauth.printRoutes(), /\/role +write or role Receipts\.Write\.All\n/)
})
