import type { FastifyInstance, FastifyRequest } from 'fastify'
import t from 'tap'
import resourceServer from 'fastify-resource-server'
import { audience, buildApp, registered, startBench } from './protected-app.js'

t.test('guards, checks and lists a child scope that is older than the plugin', async t => {
  const bench = await startBench(t)
  const app = buildApp(t)
  const seen: unknown[] = []
  const note = async ({ auth }: FastifyRequest): Promise<string> => {
    seen.push(auth)
    return 'in'
  }
  await app.register(
    async child => {
      child.decorateRequest('tenant', 'acme')
      child.get('/read', { config: { oauth: { scopes: ['read'] } } }, note)
      child.get('/any', note)
      child.get('/public', { config: { oauth: false } }, note)
      child.get('/optional', { config: { oauth: { optional: true } } }, note)
      await child.register(async grandchild => grandchild.get('/deep', note))
    },
    { prefix: '/old' },
  )
  await app.register(resourceServer, {
    issuer: bench.issuer.url,
    audience,
    clock: () => bench.clock.now,
    scopes: ['read', 'write'],
  })
  await app.ready()
  const call = async (url: string, token?: string): Promise<number> => {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
    return (await app.inject({ url, headers })).statusCode
  }
  for (const url of ['/old/read', '/old/any', '/old/deep']) {
    t.equal(await call(url), 401, url)
    t.equal(await call(url, bench.token()), 200, url)
  }
  t.equal(await call('/old/read', bench.token({ scope: 'write' })), 403)
  seen.length = 0
  t.equal(await call('/old/public'), 200)
  t.equal(await call('/old/optional'), 200)
  t.strictSame(seen, [null, null], 'request.auth is null without a token')
  t.strictSame(
    app.oauth.routes().map(({ url, access }) => `${url} ${access}`),
    [
      '/old/read protected',
      '/old/any protected',
      '/old/public public',
      '/old/optional optional',
      '/old/deep protected',
    ],
  )
})

t.test('rejects an invalid rule in an older child scope', async t => {
  const app = buildApp(t)
  await app.register(async child => {
    child.get('/receipts', { config: { oauth: { scopes: ['raed'] } } }, async () => 'in')
  })
  await t.rejects(async () => app.register(resourceServer, registered), { message: /did you mean "read"/ })
})

async function child(app: FastifyInstance): Promise<void> {
  await app.register(async inner => {
    await inner.register(resourceServer, registered)
  })
}

t.test('rejects a second registration in a parent or child scope', async t => {
  const twice = {
    code: 'OAUTH_INVALID_OPTION',
    message: /registered in this Fastify scope, in a parent scope or in a child scope/,
  }
  const same = buildApp(t)
  await same.register(resourceServer, registered)
  await t.rejects(async () => same.register(resourceServer, registered), twice, 'the same scope')

  const outerFirst = buildApp(t)
  await outerFirst.register(resourceServer, registered)
  await t.rejects(async () => outerFirst.register(child), twice, 'a descendant')

  const innerFirst = buildApp(t)
  await innerFirst.register(child)
  await t.rejects(async () => innerFirst.register(resourceServer, registered), twice, 'an ancestor')

  const siblings = buildApp(t)
  await siblings.register(child)
  await siblings.register(child)
  await t.resolves(async () => siblings.ready(), 'sibling scopes may have it each')
})

t.test('does not guard a sibling scope', async t => {
  const app = buildApp(t)
  await app.register(async open => open.get('/open', async () => 'in'))
  await app.register(async closed => {
    await closed.register(resourceServer, registered)
    closed.get('/closed', async () => 'in')
  })
  t.equal((await app.inject('/open')).statusCode, 200)
  t.equal((await app.inject('/closed')).statusCode, 401)
})

for (const prefixTrailingSlash of ['both', 'slash', 'no-slash'] as const)
  t.test(`lists the route / under a prefix with its URLs: ${prefixTrailingSlash}`, async t => {
    const app = buildApp(t)
    await app.register(resourceServer, registered)
    await app.register(
      async child => {
        child.route({ method: 'GET', url: '/', prefixTrailingSlash, handler: async () => 'in' })
        child.route({ method: ['PUT', 'PATCH'], url: '/', prefixTrailingSlash, handler: async () => 'in' })
      },
      { prefix: '/receipts' },
    )
    await app.ready()
    const listed = app.oauth
      .routes()
      .flatMap(({ methods, url }) => methods.map(method => `${method} ${url}`))
      .sort()
    const answering: string[] = []
    for (const method of ['GET', 'HEAD', 'PATCH', 'PUT'] as const)
      for (const url of ['/receipts', '/receipts/'])
        if ((await app.inject({ method, url })).statusCode === 401) answering.push(`${method} ${url}`)
    t.strictSame(listed, answering.sort())
  })

t.test('finds all routes that are declared in the same tick as the plugin', async t => {
  const app = buildApp(t)
  app.get('/before', async () => 'in')
  void app.register(resourceServer, registered)
  app.get('/after', { config: { oauth: { scopes: ['read'] } } }, async () => 'in')
  await app.ready()
  t.strictSame(
    app.oauth.routes().map(({ url }) => url),
    ['/before', '/after'],
  )
  for (const url of ['/before', '/after']) t.equal((await app.inject(url)).statusCode, 401)
})
