import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import fastify, { type FastifyInstance } from 'fastify'
import { createTestIssuer } from 'oauth-test-issuer'
import { Type } from 'typebox'
import t, { type Test } from 'tap'
import resourceServer, { type AccessToken } from 'fastify-resource-server'

// A program of its own: the declaration counts for all of it. Half of what is said here is said by the compiler: each
// `@ts-expect-error` stands before an error.
declare module 'fastify-resource-server' {
  interface OAuthTypes {
    scopes: 'receipts:read' | 'receipts:write'
    roles: 'Receipts.Write.All'
    claims: { tenant: string }
    defaultAccess: 'public'
  }
}

type Is<Actual, Expected> = 0 extends 1 & Actual
  ? false
  : [Actual, Expected] extends [Expected, Actual]
    ? true
    : false
const holds = (claim: true): void => void claim

const audience = 'https://api.example.com'
const role = 'Receipts.Write.All' as const

async function build(
  t: Test,
): Promise<{ app: FastifyInstance; token: (tenant?: unknown) => Promise<string> }> {
  const issuer = await createTestIssuer({ audience })
  const app = fastify()
  t.teardown(async () => {
    await app.close()
    await issuer.close()
  })
  app.register(resourceServer, {
    issuer: issuer.url,
    audience,
    scopes: ['receipts:read', 'receipts:write'],
    defaultAccess: 'public',
    claims: Type.Object({ tenant: Type.String() }),
  })
  return { app, token: async tenant => issuer.token({ scopes: ['receipts:read'], claims: { tenant } }) }
}

t.test('types scopes and claims as declared on every kind of route', async t => {
  const { app, token } = await build(t)
  app.get('/receipts', { config: { oauth: { scopes: ['receipts:read'] } } }, async ({ auth }) => {
    holds(true satisfies Is<typeof auth.claims.tenant, string>)
    holds(true satisfies Is<(typeof auth.scopes)[number], 'receipts:read' | 'receipts:write'>)
    // @ts-expect-error -- no such scope, so it is never among them
    void auth.scopes.includes('receipts:raed')
    return auth.claims.tenant
  })
  app.get('/maybe', { config: { oauth: { optional: true } } }, async ({ auth }) => {
    // @ts-expect-error -- it may be null
    void (() => auth.claims.tenant)
    return auth?.claims.tenant ?? 'nobody'
  })
  app.get('/unnamed', async ({ auth }) => {
    // @ts-expect-error -- nobody demands a token here
    void (() => auth.claims)
    return auth?.clientId ?? 'nobody'
  })
  app.addHook('preHandler', async ({ auth }) => {
    holds(true satisfies Is<typeof auth, AccessToken | null>)
  })
  app.get('/open', { config: { oauth: false } }, async ({ auth }) => {
    // @ts-expect-error -- there is none
    void (() => auth.claims)
    return 'open'
  })
  app.withTypeProvider<TypeBoxTypeProvider>().get(
    '/box/:id',
    {
      schema: { params: Type.Object({ id: Type.Number() }) },
      config: { oauth: { scopes: ['receipts:read'] } },
    },
    async ({ params, auth }) => {
      holds(true satisfies Is<typeof params.id, number>)
      return `${auth.claims.tenant} ${params.id}`
    },
  )
  const headers = { authorization: `Bearer ${await token('acme')}` }
  t.equal((await app.inject({ url: '/receipts', headers })).body, 'acme')
  t.equal((await app.inject({ url: '/box/7', headers })).body, 'acme 7')
  t.equal((await app.inject('/maybe')).body, 'nobody')
  t.equal((await app.inject('/open')).body, 'open')
  t.equal((await app.inject({ url: '/unnamed', headers })).body, 'nobody')
  const without = { authorization: `Bearer ${await token(7)}` }
  t.equal(
    (await app.inject({ url: '/receipts', headers: without })).statusCode,
    401,
    'the type is no promise only',
  )
})

t.test('rejects an undeclared scope at compile time and at start', async t => {
  const wrong: Record<string, (app: FastifyInstance) => unknown> = {
    'in a shorthand': app =>
      // @ts-expect-error -- misspelt
      app.get('/', { config: { oauth: { scopes: ['receipts:wirte'] } } }, async () => ''),
    'beside a right one': app =>
      app.post(
        '/',
        // @ts-expect-error -- misspelt
        { config: { oauth: { scopes: ['receipts:read', 'receipts:wirte'] } } },
        async () => '',
      ),
    'in a full declaration': app =>
      app.route({
        method: 'PUT',
        url: '/',
        // @ts-expect-error -- misspelt
        config: { oauth: { scopes: ['receipts:wirte'] } },
        handler: async () => '',
      }),
    'with a type provider': app =>
      app
        .withTypeProvider<TypeBoxTypeProvider>()
        // @ts-expect-error -- misspelt
        .get('/', { config: { oauth: { scopes: ['receipts:wirte'] } } }, async () => ''),
    'beside a misspelt role': app => {
      // @ts-expect-error -- misspelt; a role that is not declared is an error of the compiler only
      app.get('/role', { config: { oauth: { roles: ['Receipts.Wirte.All'] } } }, async () => '')
      // @ts-expect-error -- misspelt
      app.get('/', { config: { oauth: { scopes: ['receipts:wirte'], roles: [role] } } }, async () => '')
    },
    'with plain generics': app =>
      app.get<{ Params: { id: string } }>(
        '/',
        // @ts-expect-error -- misspelt
        { config: { oauth: { scopes: ['receipts:wirte'] } } },
        async () => '',
      ),
  }
  for (const [name, declare] of Object.entries(wrong)) {
    const { app } = await build(t)
    declare(app)
    await t.rejects(async () => app.ready(), { message: /did you mean "receipts:write"/ }, name)
  }
})

t.test('rejects undeclared scopes in oauth.verify and oauth.authenticate', async t => {
  const { app, token } = await build(t)
  await app.ready()
  const { claims } = await app.oauth.verify(await token('acme'), { scopes: ['receipts:read'] })
  holds(true satisfies Is<typeof claims.tenant, string>)
  // @ts-expect-error -- misspelt
  await t.rejects(app.oauth.verify(await token('acme'), { scopes: ['receipts:raed'] }))
  // @ts-expect-error -- misspelt
  t.throws(() => app.oauth.authenticate({ scopes: ['receipts:raed'] }))
})
