import swagger from '@fastify/swagger'
import { Validator } from '@seriousme/openapi-schema-validator'
import fastify, { type FastifyInstance } from 'fastify'
import {
  jsonSchemaTransform,
  serializerCompiler,
  validatorCompiler,
  type ZodTypeProvider,
} from 'fastify-type-provider-zod'
import t, { type Test } from 'tap'
import { z } from 'zod'
import resourceServer, { type ResourceServerOptions } from 'fastify-resource-server'
import { audience, startBench } from './protected-app.js'

interface Operation {
  readonly security?: unknown
  readonly responses: Readonly<Record<string, { content?: object; description?: string }>>
}

const document = {
  openapi: {
    openapi: '3.1.0' as const,
    info: { title: 'Receipts', version: '1.0.0' },
    components: {
      securitySchemes: {
        oauth2: {
          type: 'oauth2' as const,
          flows: {
            clientCredentials: {
              tokenUrl: 'https://login.example.com/token',
              scopes: { read: 'Read receipts', write: 'Make receipts' },
            },
          },
        },
      },
    },
  },
}

async function build(
  t: Test,
  order: 'before' | 'after',
  options: Partial<ResourceServerOptions> = {},
  described = true,
): Promise<{ app: FastifyInstance; token: string }> {
  const bench = await startBench(t)
  const app = fastify()
  t.teardown(() => app.close())
  if (order === 'before') await app.register(swagger, document)
  await app.register(resourceServer, {
    issuer: bench.issuer.url,
    audience,
    clock: () => bench.clock.now,
    ...(described ? { securityScheme: 'oauth2' } : {}),
    ...options,
  })
  if (order === 'after') await app.register(swagger, document)
  app.get('/receipts', { config: { oauth: { scopes: ['read'] } } }, async () => [])
  app.post(
    '/receipts',
    {
      config: { oauth: { scopes: ['read', 'write'], match: 'any' } },
      schema: {
        body: { type: 'object', properties: { amount: { type: 'integer' } } },
        response: {
          201: { description: 'Made', type: 'object', properties: {} },
          403: { description: 'Ours', type: 'object', properties: {} },
        },
      },
    },
    async () => ({}),
  )
  app.get('/me', { config: { oauth: { optional: true } } }, async () => ({}))
  app.get('/any', async () => ({}))
  app.get('/role', { config: { oauth: { roles: ['Clerk', 'Auditor'] } } }, async () => ({}))
  app.get('/either', { config: { oauth: { scopes: ['read'], roles: ['Clerk'] } } }, async () => ({}))
  app.get('/health', { config: { oauth: false } }, async () => ({}))
  app.get(
    '/by-key',
    { config: { oauth: false }, schema: { security: [{ oauth2: ['write'] }] } as object },
    async () => ({}),
  )
  await app.ready()
  return { app, token: bench.token() }
}

async function validate(app: FastifyInstance) {
  return new Validator().validate(app.swagger({ yaml: true }))
}

function operation(app: FastifyInstance, path: string, method: 'get' | 'post' = 'get'): Operation {
  return (app.swagger() as unknown as { paths: Record<string, Record<string, Operation>> }).paths[path]?.[
    method
  ] as Operation
}

for (const order of ['before', 'after'] as const)
  t.test(`documents routes with @fastify/swagger registered ${order}`, async t => {
    const { app } = await build(t, order)
    t.same(operation(app, '/receipts').security, [{ oauth2: ['read'] }])
    t.same(
      operation(app, '/receipts', 'post').security,
      [{ oauth2: ['read'] }, { oauth2: ['write'] }],
      'any of them',
    )
    t.same(operation(app, '/me').security, [{ oauth2: [] }, {}], 'optional')
    t.same(operation(app, '/any').security, [{ oauth2: [] }], 'any token')
    t.same(operation(app, '/health').security, [], 'public')
    t.same(operation(app, '/by-key').security, [{ oauth2: ['write'] }], 'what a route says itself stays')

    t.same(operation(app, '/role').security, [{ oauth2: [] }], 'a role is no scope')
    t.match(operation(app, '/role').responses['403'], { description: /lacks the role Clerk or Auditor/ })
    t.match(operation(app, '/either').responses['403'], {
      description: /lacks a required scope, and the role Clerk/,
    })

    t.same(Object.keys(operation(app, '/receipts').responses), ['200', '401', '403'])
    t.same(Object.keys(operation(app, '/any').responses), ['200', '401'], 'without scopes nothing is lacking')
    t.same(Object.keys(operation(app, '/health').responses), ['200'])
    t.equal(operation(app, '/receipts', 'post').responses['403']?.description, 'Ours')

    t.match(await validate(app), { valid: true })
  })

t.test('documents problem details', async t => {
  const { app } = await build(t, 'before', { problemDetails: true })
  t.same(Object.keys(operation(app, '/receipts').responses['401']?.content ?? {}), [
    'application/problem+json',
  ])
  t.match(await validate(app), { valid: true })
})

t.test('documents only security with schemas of Zod', async t => {
  const bench = await startBench(t)
  const app = fastify().withTypeProvider<ZodTypeProvider>()
  t.teardown(() => app.close())
  app.setValidatorCompiler(validatorCompiler)
  app.setSerializerCompiler(serializerCompiler)
  await app.register(swagger, { ...document, transform: jsonSchemaTransform })
  await app.register(resourceServer, {
    issuer: bench.issuer.url,
    audience,
    clock: () => bench.clock.now,
    securityScheme: 'oauth2',
  })
  app.get(
    '/receipts',
    {
      schema: {
        querystring: z.object({ page: z.coerce.number() }),
        response: { 200: z.object({ page: z.number(), client: z.string() }) },
      },
      config: { oauth: { scopes: ['read'] } },
    },
    async ({ query: { page }, auth }) => ({ page, client: auth.clientId ?? '' }),
  )
  app.get('/any', async () => ({}))
  app.get('/role', { config: { oauth: { roles: ['Clerk', 'Auditor'] } } }, async () => ({}))
  app.get('/either', { config: { oauth: { scopes: ['read'], roles: ['Clerk'] } } }, async () => ({}))
  const answer = await app.inject({
    url: '/receipts?page=2',
    headers: { authorization: `Bearer ${bench.token()}` },
  })
  t.same(answer.json(), { page: 2, client: 'payment' })
  t.equal((await app.inject('/receipts?page=2')).statusCode, 401)
  const described = app as unknown as FastifyInstance
  t.same(operation(described, '/receipts').security, [{ oauth2: ['read'] }])
  t.same(operation(described, '/any').security, [{ oauth2: [] }])
  t.match(await validate(described), { valid: true })
})

t.test('documents an OpenID Connect scheme', async t => {
  const openIdConnectUrl = 'https://login.example.com/.well-known/openid-configuration'
  const bench = await startBench(t)
  const app = fastify()
  t.teardown(() => app.close())
  await app.register(swagger, {
    openapi: {
      ...document.openapi,
      components: { securitySchemes: { oidc: { type: 'openIdConnect', openIdConnectUrl } } },
    },
  })
  await app.register(resourceServer, { issuer: bench.issuer.url, audience, securityScheme: 'oidc' })
  app.get('/receipts', { config: { oauth: { scopes: ['read'] } } }, async () => [])
  await app.ready()
  t.same(operation(app, '/receipts').security, [{ oidc: ['read'] }])
  t.match(await validate(app), { valid: true })
})

t.test('does not change responses', async t => {
  const { app, token } = await build(t, 'before')
  const headers = { authorization: `Bearer ${token}` }
  const refused = await app.inject({
    method: 'GET',
    url: '/receipts',
    headers: { authorization: 'Bearer x' },
  })
  t.same(Object.keys(refused.json()).toSorted(), ['code', 'error', 'message', 'statusCode'])
  t.equal((await app.inject({ url: '/receipts', headers })).statusCode, 200)
})

t.test('documents nothing without the option', async t => {
  const { app } = await build(t, 'before', {}, false)
  t.equal(operation(app, '/receipts').security, undefined)
  await t.rejects(startBench(t, { securityScheme: 'o auth' }), {
    message: /option `securityScheme` is "o auth"; expected the name of a security scheme/,
  })
})
