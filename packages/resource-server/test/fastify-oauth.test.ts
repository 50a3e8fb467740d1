import type { FastifyRequest } from 'fastify'
import fastifyAuth from '@fastify/auth'
import t from 'tap'
import resourceServer, { type RefusedTokenError } from 'fastify-resource-server'
import { audience, buildApp, registered, startBench } from './protected-app.js'

t.test('verifies tokens outside requests with oauth.verify', async t => {
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
  const invalid = {
    code: 'OAUTH_GUARD_FAILED',
    message: 'The rule is invalid; the cause of this error contains the reason',
  }
  await t.rejects(oauth.verify(bench.token(), { scopes: ['wirte'] }), {
    ...invalid,
    cause: { code: 'OAUTH_INVALID_ROUTE', message: /did you mean "write"/ },
  })
  await t.rejects(oauth.verify(bench.token(), { optional: true } as never), {
    ...invalid,
    cause: { code: 'OAUTH_INVALID_ROUTE' },
  })
  const bound = await startBench(t, { dpop: 'allow' })
  await t.rejects(bound.app.oauth.verify(bound.token(), { dpop: 'require' } as never), {
    ...invalid,
    cause: { code: 'OAUTH_INVALID_ROUTE', message: /`dpop: 'require'` cannot be checked outside a request/ },
  })
  t.match(await bound.app.oauth.verify(bound.token(), { dpop: 'off' } as never), { subject: 'payment' })
})

t.test('gives the calling code the reason, but no response contains it', async t => {
  const bench = await startBench(t)
  const token = bench.token({ aud: 'https://other.internal' })
  const error = await bench.app.oauth.verify(token).then(
    () => undefined,
    (refused: RefusedTokenError) => refused,
  )
  const { issuer } = { issuer: bench.issuer.url }
  t.match(error, { code: 'OAUTH_INVALID_TOKEN', reason: 'audience', detail: /./, kid: 'first', issuer })
  const app = buildApp(t)
  app.get('/', async () => {
    throw error
  })
  app.get('/spread', async (_, reply) => reply.code(401).send(Object.assign({}, error)))
  const { message } = error as Error
  const answer = { statusCode: 401, code: 'OAUTH_INVALID_TOKEN', error: 'Unauthorized', message }
  t.strictSame((await app.inject('/')).json(), answer)
  t.notMatch((await app.inject('/spread')).body, /audience|first|127\.0\.0\.1/)
})

t.test('distinguishes an outage from an invalid token in oauth.verify', async t => {
  const bench = await startBench(t)
  bench.issuer.goAway()
  bench.clock.now += 10_000_000
  await t.rejects(bench.app.oauth.verify(bench.token()), {
    code: 'OAUTH_VERIFICATION_UNAVAILABLE',
    statusCode: 503,
  })
})

const bySecret = async (request: { headers: Record<string, unknown> }): Promise<void> => {
  if (request.headers['x-secret'] !== 'open') throw new Error('no secret')
}

t.test('works as one of several strategies of @fastify/auth', async t => {
  const bench = await startBench(t, { defaultAccess: 'public', problemDetails: true })
  const app = buildApp(t)
  await app.register(fastifyAuth)
  await app.register(resourceServer, {
    ...registered,
    issuer: bench.issuer.url,
    keys: [bench.key.jwk],
    clock: () => bench.clock.now,
    defaultAccess: 'public',
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

t.test('guards the 404 handler with oauth.authenticate', async t => {
  const app = buildApp(t)
  await app.register(resourceServer, registered)
  app.setNotFoundHandler({ preHandler: app.oauth.authenticate() }, async () => 'passed on')
  t.equal((await app.inject('/nowhere')).statusCode, 401)
})

const sessionCookie = 'session=alice'
const bySession = async ({ headers }: FastifyRequest): Promise<void> => {
  if (headers.cookie !== sessionCookie) throw Object.assign(new Error('no session'), { statusCode: 401 })
}

for (const order of ['token first', 'session first'] as const)
  for (const hook of ['onRequest', 'preHandler'] as const)
    t.test(`sends a challenge with @fastify/auth only for a refusal: ${order}, ${hook}`, async t => {
      const bench = await startBench(t)
      const app = buildApp(t)
      await app.register(resourceServer, {
        issuer: bench.issuer.url,
        audience,
        keys: [bench.key.jwk],
        clock: () => bench.clock.now,
        defaultAccess: 'public',
      })
      await app.register(fastifyAuth)
      await app.register(async child => {
        const byToken = child.oauth.authenticate({ scopes: ['read'] })
        const ways = order === 'token first' ? [byToken, bySession] : [bySession, byToken]
        const options = { [hook]: child.auth(ways as never) }
        child.get('/', options, async () => 'in')
        child.get('/absent', options, async (_, reply) => reply.code(404).send('nothing'))
      })
      const ask = async (headers: Record<string, string>, url = '/'): Promise<[number, unknown]> => {
        const answer = await app.inject({ url, headers })
        return [answer.statusCode, answer.headers['www-authenticate']]
      }
      const bad = { authorization: `Bearer ${bench.token({ aud: 'https://other.example.com' })}` }
      const good = { authorization: `Bearer ${bench.token()}` }
      const weak = { authorization: `Bearer ${bench.token({ scope: 'write' })}` }
      const session = { cookie: sessionCookie }
      t.strictSame(await ask({ ...session }), [200, undefined])
      t.strictSame(await ask({ ...session, ...bad }), [200, undefined])
      t.strictSame(await ask({ ...session, ...weak }), [200, undefined])
      t.strictSame(await ask({ ...session, ...bad }, '/absent'), [404, undefined])
      t.strictSame(await ask(good), [200, undefined])
      if (order === 'token first') return
      t.strictSame(await ask({}), [401, 'Bearer'])
      const [status, challenge] = await ask(bad)
      t.equal(status, 401)
      t.match(challenge, /error="invalid_token"/)
    })
