import type { FastifyInstance } from 'fastify'
import fastifyJwt from '@fastify/jwt'
import resourceServer from 'fastify-resource-server'
import t from 'tap'
import { buildApp, registered } from './protected-app.js'

t.test("works with the application's own @fastify/jwt, in either order and in a child scope", async t => {
  const secret = 'the secret of the application itself'
  for (const order of ['before', 'after', 'in a child'] as const) {
    const app = buildApp(t)
    let token = ''
    const useOwn = async (scope: FastifyInstance): Promise<void> => {
      if (order !== 'before') await scope.register(fastifyJwt, { secret })
      scope.get('/own', { config: { oauth: false } }, async request => request.jwtVerify())
      token = scope.jwt.sign({ hello: 'own' })
    }
    if (order === 'before') await app.register(fastifyJwt, { secret })
    await app.register(resourceServer, registered)
    if (order === 'in a child') await app.register(async child => useOwn(child))
    else await useOwn(app)
    app.get('/guarded', async () => 'in')
    await app.ready()
    const headers = { authorization: `Bearer ${token}` }
    t.equal((await app.inject({ url: '/own', headers })).statusCode, 200, order)
    t.equal(
      (await app.inject({ url: '/guarded', headers })).statusCode,
      401,
      `${order}: its tokens are none of ours`,
    )
  }
})

t.test('does not overwrite request.auth of another plugin', async t => {
  const app = buildApp(t)
  app.decorateRequest('auth', null as never)
  await t.rejects(async () => app.register(resourceServer, registered), {
    code: 'OAUTH_INVALID_OPTION',
    message: /another plugin has already added request\.auth/,
  })
})

t.test('does not overwrite fastify.oauth of another plugin', async t => {
  const app = buildApp(t)
  app.decorate('oauth', {} as never)
  await t.rejects(async () => app.register(resourceServer, registered), {
    code: 'OAUTH_INVALID_OPTION',
    message: /another plugin has already added fastify\.oauth/,
  })
})
