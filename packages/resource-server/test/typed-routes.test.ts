import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import t, { type Test } from 'tap'
import resourceServer, { defineResourceServer, type AccessToken } from 'fastify-resource-server'
import { audience, startBench } from './protected-app.js'

// Keys of an index signature are not offered in completion (seen with the language services of TypeScript 5.9 and 6.0).
// Half of what is said here is said by the compiler: this file compiles, and each `@ts-expect-error` stands before an error.

/** Exactly this type: neither wider nor narrower, and not `any`. */
type Is<Actual, Expected> = 0 extends 1 & Actual
  ? false
  : [Actual, Expected] extends [Expected, Actual]
    ? true
    : false
const holds = (claim: true): void => void claim
const urlOf = async ({ url }: FastifyRequest): Promise<string> => url

async function build(t: Test) {
  const bench = await startBench(t)
  const app = fastify()
  t.teardown(() => app.close())
  const options = { issuer: bench.issuer.url, audience, clock: () => bench.clock.now }
  const call = async (url: string, claims?: Record<string, unknown>) => {
    const headers = claims === undefined ? {} : { authorization: `Bearer ${bench.token(claims)}` }
    return app.inject({ url, headers })
  }
  return { app, options, call }
}

t.test('types request.auth by the rule of the route', async t => {
  const { app, options, call } = await build(t)
  await app.register(resourceServer, { ...options, scopes: ['read'] })
  app.get('/none', async ({ auth }) => {
    holds(true satisfies Is<typeof auth, AccessToken>)
    return auth.clientId
  })
  app.get('/scopes', { config: { oauth: { scopes: ['read'] } } }, async ({ auth }) => {
    holds(true satisfies Is<typeof auth, AccessToken>)
    return auth.clientId
  })
  app.get('/optional', { config: { oauth: { optional: true } } }, async ({ auth }) => {
    holds(true satisfies Is<typeof auth, AccessToken | null>)
    return auth?.clientId ?? 'nobody'
  })
  app.get('/public', { config: { oauth: false } }, async ({ auth }) => {
    holds(true satisfies Is<typeof auth, null>)
    return String(auth)
  })
  app.route({
    method: 'GET',
    url: '/route',
    config: { oauth: { optional: true } },
    handler: async ({ auth }) => {
      holds(true satisfies Is<typeof auth, AccessToken | null>)
      return auth?.clientId ?? 'nobody'
    },
  })
  app.get('/other-config', { config: {} }, async ({ auth }) => {
    holds(true satisfies Is<typeof auth, AccessToken>)
    return auth.clientId
  })
  t.equal((await call('/none', {})).body, 'payment')
  t.equal((await call('/scopes', {})).body, 'payment')
  t.equal((await call('/optional')).body, 'nobody')
  t.equal((await call('/optional', {})).body, 'payment')
  t.equal((await call('/public')).body, 'null')
  t.equal((await call('/route')).body, 'nobody')
  t.equal((await call('/other-config', {})).body, 'payment')
})

t.test('accepts hooks and handlers for any route on every route', async t => {
  const { app, options, call } = await build(t)
  await app.register(resourceServer, options)
  const seen: string[] = []
  const note = async ({ url }: FastifyRequest): Promise<void> => void seen.push(url)
  app.get('/public', { config: { oauth: false }, preHandler: note }, urlOf)
  app.get('/optional', { config: { oauth: { optional: true } }, preHandler: note }, urlOf)
  app.get('/protected', { preHandler: note }, urlOf)
  for (const url of ['/public', '/optional']) t.equal((await call(url)).body, url)
  t.equal((await call('/protected', {})).body, '/protected')
  t.same(seen, ['/public', '/optional', '/protected'])
})

t.test('types request.auth with a type provider and with plain generics', async t => {
  const { app, options, call } = await build(t)
  await app.register(resourceServer, options)
  const Params = Type.Object({ id: Type.Number() })
  app
    .withTypeProvider<TypeBoxTypeProvider>()
    .get(
      '/box/:id',
      { schema: { params: Params }, config: { oauth: { optional: true } } },
      async ({ params, auth }) => {
        holds(true satisfies Is<typeof params.id, number>)
        holds(true satisfies Is<typeof auth, AccessToken | null>)
        return { id: params.id, client: auth?.clientId ?? null }
      },
    )
  app.get<{ Params: { id: string } }>('/plain/:id', async ({ params, auth }) => {
    holds(true satisfies Is<typeof params.id, string>)
    holds(true satisfies Is<typeof auth, AccessToken>)
    return { id: params.id, client: auth.clientId }
  })
  const config = { oauth: { optional: true } } as const
  app.get<{ Params: { id: string } }, typeof config>('/both/:id', { config }, async ({ params, auth }) => {
    holds(true satisfies Is<typeof auth, AccessToken | null>)
    return { id: params.id, client: auth?.clientId ?? null }
  })
  t.same((await call('/box/7')).json(), { id: 7, client: null })
  t.same((await call('/plain/7', {})).json(), { id: '7', client: 'payment' })
  t.same((await call('/both/7', {})).json(), { id: '7', client: 'payment' })
})

t.test('rejects misspelt keys and empty lists at compile time and at start', async t => {
  const wrong: [string, (app: FastifyInstance) => void][] = [
    [
      'scope',
      // @ts-expect-error -- it is `scopes`
      app => app.get('/', { config: { oauth: { scope: ['read'] } } }, async () => ''),
    ],
    [
      'anyOf',
      // @ts-expect-error -- it is `match: 'any'`
      app => app.get('/', { config: { oauth: { anyOf: ['read'] } } }, async () => ''),
    ],
    [
      'empty',
      // @ts-expect-error -- a list that demands nothing
      app => app.get('/', { config: { oauth: { scopes: [] } } }, async () => ''),
    ],
    [
      'true',
      // @ts-expect-error -- an object, or false
      app => app.get('/', { config: { oauth: true } }, async () => ''),
    ],
    [
      'scope beside scopes',
      // @ts-expect-error -- it is `scopes`
      app => app.get('/', { config: { oauth: { scopes: ['read'], scope: ['write'] } } }, async () => ''),
    ],
    [
      'requiredScopes',
      // @ts-expect-error -- it is `scopes`
      app => app.get('/', { config: { oauth: { requiredScopes: ['read'] } } }, async () => ''),
    ],
    [
      'orRoles',
      // @ts-expect-error -- it is `roles`
      app => app.get('/', { config: { oauth: { scopes: ['read'], orRoles: ['Clerk'] } } }, async () => ''),
    ],
    [
      'role',
      // @ts-expect-error -- it is `roles`
      app => app.get('/', { config: { oauth: { role: ['Clerk'] } } }, async () => ''),
    ],
    [
      'permissions',
      // @ts-expect-error -- it is `roles`
      app => app.get('/', { config: { oauth: { permissions: ['read'] } } }, async () => ''),
    ],
    [
      'maxAge',
      // @ts-expect-error -- it is `maxAgeMs`
      app => app.get('/', { config: { oauth: { maxAge: 300 } } }, async () => ''),
    ],
    [
      'allOf',
      // @ts-expect-error -- it is `scopes`
      app => app.get('/', { config: { oauth: { allOf: ['read'], optional: false } } }, async () => ''),
    ],
    [
      'match',
      // @ts-expect-error -- 'all' or 'any'
      app => app.get('/', { config: { oauth: { scopes: ['read'], match: 'some' } } }, async () => ''),
    ],
  ]
  for (const [name, declare] of wrong) {
    const { app, options } = await build(t)
    app.register(resourceServer, options)
    declare(app)
    await t.rejects(async () => app.ready(), { code: 'OAUTH_INVALID_ROUTE' }, name)
  }
})

t.test('types the catalogue of defineResourceServer', async t => {
  const receipts = defineResourceServer({
    scopes: ['receipts:read', 'receipts:write'],
    claims: Type.Object({ tenant: Type.String() }),
  })
  const { app, options, call } = await build(t)
  await app.register(receipts.plugin, options)
  app.get('/receipts', { config: receipts.protect({ scopes: ['receipts:read'] }) }, async ({ auth }) => {
    holds(true satisfies Is<typeof auth.claims.tenant, string>)
    holds(true satisfies Is<(typeof auth.scopes)[number], 'receipts:read' | 'receipts:write'>)
    return auth.claims.tenant
  })
  app.get('/any', { config: receipts.protect() }, async ({ auth }) => auth.claims.tenant)
  app.get('/maybe', { config: receipts.protect({ optional: true }) }, async ({ auth }) => {
    // @ts-expect-error -- it may be null
    void (() => auth.claims)
    return auth?.claims.tenant ?? 'nobody'
  })
  app.get('/open', { config: receipts.open }, async ({ auth }) => {
    holds(true satisfies Is<typeof auth, null>)
    return 'open'
  })
  t.equal((await call('/receipts', { scope: 'receipts:read', tenant: 'acme' })).body, 'acme')
  t.equal((await call('/receipts', { scope: 'receipts:write', tenant: 'acme' })).statusCode, 403)
  t.equal((await call('/receipts', { scope: 'receipts:read' })).statusCode, 401, 'the claims do not fit')
  t.equal((await call('/any', { tenant: 'acme' })).body, 'acme')
  t.equal((await call('/maybe')).body, 'nobody')
  t.equal((await call('/open')).body, 'open')

  // @ts-expect-error -- not in the catalogue
  void (() => receipts.protect({ scopes: ['receipts:raed'] }))
  // @ts-expect-error -- no such key
  void (() => receipts.protect({ scops: ['receipts:read'] }))
  // @ts-expect-error -- a list that demands nothing
  void (() => receipts.protect({ scopes: [] }))
  // @ts-expect-error -- a catalogue without scopes says nothing
  void (() => defineResourceServer({ scopes: [] }))

  const late = fastify()
  t.teardown(() => late.close())
  late.register(receipts.plugin, options)
  late.get('/', { config: { oauth: { scopes: ['receipts:raed'] } } }, async () => '')
  await t.rejects(async () => late.ready(), { message: /did you mean "receipts:read"/ }, 'and at boot')
})

t.test('supports two catalogues in one application', async t => {
  const { app, options, call } = await build(t)
  const one = defineResourceServer({ scopes: ['one'] })
  const two = defineResourceServer({ scopes: ['two'] })
  await app.register(async scope => {
    await scope.register(one.plugin, options)
    scope.get('/one', { config: one.protect({ scopes: ['one'] }) }, async ({ auth }) => auth.scopes)
  })
  await app.register(async scope => {
    await scope.register(two.plugin, options)
    scope.get('/two', { config: two.protect({ scopes: ['two'] }) }, async ({ auth }) => auth.scopes)
  })
  t.equal((await call('/one', { scope: 'one' })).statusCode, 200)
  t.equal((await call('/two', { scope: 'one' })).statusCode, 403)
})
