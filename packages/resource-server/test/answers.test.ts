import { request } from 'node:http'
import fastify, { type FastifyInstance } from 'fastify'
import fastifyJwt from '@fastify/jwt'
import resourceServer from 'fastify-resource-server'
import t from 'tap'
import { audience, startBench } from './protected-app.js'
import { makeKey } from './hand-made-issuer.js'

const key = makeKey('first')
const issuer = 'https://login.example.com'
const registered = { issuer, audience, keys: [key.jwk], scopes: ['read'] }

t.test('challenges', async t => {
  const bench = await startBench(t, { realm: 'the "API" \\ one' })
  const challenge = async (authorization: string | undefined, url?: string): Promise<unknown> =>
    (await bench.send(authorization, url)).headers['www-authenticate']
  const realm = String.raw`Bearer realm="the \"API\" \\ one"`
  t.equal(await challenge(undefined), realm, 'bare when nothing was sent: no error code (RFC 6750 §3.1)')
  t.equal(
    await challenge('Bearer a b'),
    `${realm}, error="invalid_request", error_description="The request must carry exactly one access token"`,
  )
  t.equal(
    await challenge('Bearer garbage'),
    `${realm}, error="invalid_token", error_description="The access token is invalid"`,
  )
  t.equal(
    await challenge(`Bearer ${bench.token()}`, '/write'),
    `${realm}, error="insufficient_scope", error_description="The access token does not have the required scope", scope="write"`,
  )
})

t.test("bodies are Fastify's, with stable codes; reasons go to the log, tokens nowhere", async t => {
  const bench = await startBench(t)
  const cases: [code: string, status: number, reason: string, token: string, url?: string][] = [
    ['OAUTH_INVALID_TOKEN', 401, 'expired', bench.token({ exp: 1 })],
    ['OAUTH_INVALID_TOKEN', 401, 'not_yet_valid', bench.token({ nbf: 2_000_000_000 })],
    ['OAUTH_INVALID_TOKEN', 401, 'signature', bench.token({}, {}, makeKey('first'))],
    ['OAUTH_INVALID_TOKEN', 401, 'issuer', bench.token({ iss: 'https://other.example.com' })],
    ['OAUTH_INVALID_TOKEN', 401, 'audience', bench.token({ aud: 'https://other.example.com' })],
    ['OAUTH_INVALID_TOKEN', 401, 'type', bench.token({}, { typ: 'JWT' })],
    ['OAUTH_INVALID_TOKEN', 401, 'claim', bench.token({ jti: undefined })],
    ['OAUTH_INVALID_TOKEN', 401, 'algorithm', bench.token({}, { alg: 'HS256' })],
    ['OAUTH_INVALID_TOKEN', 401, 'unknown_key', bench.token({}, { kid: 'other' })],
    ['OAUTH_INVALID_TOKEN', 401, 'malformed', 'garbage'],
    ['OAUTH_INSUFFICIENT_SCOPE', 403, 'scope', bench.token(), '/write'],
  ]
  for (const [code, statusCode, reason, token, url] of cases) {
    const answer = await bench.call(token, url)
    const body = answer.json() as Record<string, unknown>
    t.match(body, { statusCode, code }, reason)
    t.strictSame(Object.keys(body).sort(), ['code', 'error', 'message', 'statusCode'])
    t.equal(bench.lastReason(), reason)
    t.notMatch(
      answer.payload + JSON.stringify(answer.headers),
      reason === 'scope' ? 'demands' : 'other.example.com',
    )
  }
  const text = JSON.stringify(bench.logged)
  for (const [, , , token] of cases.slice(0, -2)) t.notMatch(text, token.split('.')[2] ?? token)
})

t.test('a custom error handler keeps the challenge', async t => {
  const app = fastify()
  t.teardown(() => app.close())
  app.setErrorHandler((error, _request, reply) =>
    reply.code((error as { statusCode?: number }).statusCode ?? 500).send({ mine: true }),
  )
  await app.register(resourceServer, registered)
  app.get('/', async () => 'in')
  const { statusCode, headers, body } = await app.inject('/')
  t.strictSame([statusCode, headers['www-authenticate'], body], [401, 'Bearer', '{"mine":true}'])
})

t.test('routes that exist, that do not, and their other methods', async t => {
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

t.test('a CORS preflight needs no token; an OPTIONS request that is none does', async t => {
  const app = fastify()
  t.teardown(() => app.close())
  await app.register(resourceServer, registered)
  app.options('/read', async () => 'options')
  app.options('/guarded', { config: { oauth: { scopes: ['read'] } } }, async () => 'options')
  const preflight = { origin: 'https://shop.example.com', 'access-control-request-method': 'GET' }
  t.equal((await app.inject({ method: 'OPTIONS', url: '/read', headers: preflight })).statusCode, 200)
  t.equal((await app.inject({ method: 'OPTIONS', url: '/read' })).statusCode, 401)
  t.equal((await app.inject({ method: 'OPTIONS', url: '/guarded', headers: preflight })).statusCode, 401)
})

t.test('a route for several methods is not opened by what looks like a preflight', async t => {
  const app = fastify()
  t.teardown(() => app.close())
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

t.test('routes declared before the plugin are guarded; sibling scopes are not', async t => {
  const app = fastify()
  t.teardown(() => app.close())
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

t.test('a WebSocket upgrade is answered with the challenge', async t => {
  const app = fastify()
  t.teardown(() => app.close())
  await app.register(resourceServer, registered)
  app.get('/socket', async () => 'in')
  const address = await app.listen({ host: '127.0.0.1', port: 0 })
  const answer = await new Promise<{ statusCode: number | undefined; challenge: unknown }>(
    (resolve, reject) => {
      request(`${address}/socket`, { headers: { connection: 'upgrade', upgrade: 'websocket' } })
        .on('response', response => {
          response.resume()
          resolve({ statusCode: response.statusCode, challenge: response.headers['www-authenticate'] })
        })
        .on('error', reject)
        .end()
    },
  )
  t.strictSame(answer, { statusCode: 401, challenge: 'Bearer' })
})

t.test(
  "an application's own @fastify/jwt works beside the plugin, in either order and in a child",
  async t => {
    const secret = 'the secret of the application itself'
    for (const order of ['before', 'after', 'in a child'] as const) {
      const app = fastify()
      t.teardown(() => app.close())
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
  },
)

t.test('optional authentication: no token is nobody, a bad token is still refused', async t => {
  const app = fastify()
  t.teardown(() => app.close())
  await app.register(resourceServer, registered)
  app.get('/', { config: { oauth: { optional: true } } }, async request => ({
    auth: request.auth as unknown,
  }))
  t.strictSame((await app.inject('/')).json(), { auth: null })
  t.equal((await app.inject({ url: '/', headers: { authorization: 'Bearer garbage' } })).statusCode, 401)
  t.equal((await app.inject({ url: '/', headers: { authorization: 'Bearer a b' } })).statusCode, 400)
})

t.test('any of several scopes, and roles in their place', async t => {
  const bench = await startBench(t, { scopes: ['read', 'write'] })
  const app = fastify()
  t.teardown(() => app.close())
  await app.register(resourceServer, {
    issuer: bench.issuer.url,
    audience,
    keys: [bench.key.jwk],
    scopes: ['read', 'write'],
    clock: () => bench.clock.now,
  })
  app.get('/any', { config: { oauth: { scopes: ['read', 'write'], match: 'any' } } }, async () => 'in')
  app.get('/all', { config: { oauth: { scopes: ['read', 'write'] } } }, async () => 'in')
  app.get(
    '/role',
    { config: { oauth: { scopes: ['write'], orRoles: ['Receipts.Write.All'] } } },
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
})

t.test('what routes must not say', async t => {
  const cases: [config: unknown, message: RegExp][] = [
    [{ oauth: { scope: ['read'] } }, /no key "scope" \(did you mean "scopes"\?\)/],
    [{ oauth: { anyOf: ['read'] } }, /no key "anyOf"/],
    [{ oath: { scopes: ['read'] } }, /config\.oath does nothing; did you mean config\.oauth\?/],
    [{ oauth: { scopes: [] } }, /at least one name/],
    [{ oauth: { scopes: 'read' } }, /at least one name/],
    [{ oauth: { scopes: ['read write'] } }, /no scope/],
    [{ oauth: { scopes: ['raed'] } }, /did you mean "read"/],
    [{ oauth: { match: 'any' } }, /without scopes/],
    [{ oauth: { scopes: ['read'], match: 'some' } }, /'all' or 'any'/],
    [{ oauth: { audience: 'https://other.example.com' } }, /not configured/],
    [{ oauth: true }, /give an object/],
    [{ oauth: null }, /give an object/],
    [{ oauth: [] }, /give an object/],
    [{ oauth: { optional: 'yes' } }, /true or false/],
  ]
  for (const [config, message] of cases) {
    const app = fastify()
    await app.register(resourceServer, registered)
    t.throws(() => app.get('/', { config: config as never }, async () => 'in'), {
      code: 'OAUTH_INVALID_ROUTE',
      message,
    })
    await app.close()
  }
})

t.test('wrong options fail register, naming option, value and fix', async t => {
  const cases: [options: object, message: RegExp][] = [
    [{ issuer: undefined }, /`issuer` is undefined; it wants/],
    [{ issuer: 'login.example.com' }, /`issuer` is "login\.example\.com"/],
    [{ issuer: 'http://login.example.com' }, /https/],
    [{ audience: undefined }, /`audience` is undefined.*tokens for other services would pass/],
    [{ audience: [] }, /`audience` is \[\]/],
    [{ audiance: 'x' }, /no option `audiance` \(did you mean "audience"\?\)/],
    [{ algorithms: ['HS256'] }, /only asymmetric/],
    [{ algorithms: ['none'] }, /only asymmetric/],
    [{ profile: 'azure' }, /one of rfc9068, entra/],
    [{ clockToleranceMs: -1 }, /milliseconds/],
    [{ clockToleranceMs: '5s' }, /milliseconds/],
    [{ clockToleranceMs: Infinity }, /finite/],
    [{ keysKeepMs: Infinity }, /finite/],
    [{ clockToleranceMs: NaN }, /finite/],
    [{ cacheSize: 1.5 }, /whole number/],
    [{ keysKeepMs: 10 }, /at least keysMaxAgeMs/],
    [{ scopes: [] }, /at least one name/],
    [{ keys: [] }, /JWKs/],
    [{ keys: [null] }, /JWKs/],
    [{ keys: [{ kty: 'oct', k: 'AAAA' }] }, /`keys` has no key for https:.* its kty is not RSA, EC or OKP/],
    [{ keys: [key.jwk], algorithms: ['RS256'] }, /no allowed algorithm fits it/],
    [{ issuers: [{ issuer, audience }] }, /exclude each other/],
    [{ dispatcher: {} }, /undici 7/],
    [{ clock: 5 }, /function/],
    [{ jwksUri: 'http://keys.example.com/jwks' }, /https/],
    [{ realm: 'é' }, /ASCII/],
  ]
  for (const [options, message] of cases) {
    const app = fastify()
    await t.rejects(async () => app.register(resourceServer, { ...registered, ...options } as never), {
      code: 'OAUTH_INVALID_OPTION',
      message,
    })
  }
  const twice = fastify()
  await twice.register(resourceServer, registered)
  await t.rejects(async () => twice.register(resourceServer, registered), /sibling scopes/)
  await twice.close()
})

t.test('problem details (RFC 9457), if wanted', async t => {
  const bench = await startBench(t, { problemDetails: true })
  const { statusCode, headers, body } = await bench.call(bench.token(), '/write')
  t.equal(statusCode, 403)
  t.match(headers['www-authenticate'], 'error="insufficient_scope"')
  t.match(headers['content-type'], /^application\/problem\+json/)
  t.strictSame(JSON.parse(body), {
    type: 'about:blank',
    title: 'Forbidden',
    status: 403,
    detail: 'The access token does not have the required scope',
    code: 'OAUTH_INSUFFICIENT_SCOPE',
  })
})

t.test('problem details are the one answer, also where hooks take their time to send it', async t => {
  const warnings: unknown[] = []
  const stream = { write: (line: string) => void warnings.push((JSON.parse(line) as { msg: string }).msg) }
  const app = fastify({ logger: { level: 'warn', stream } })
  t.teardown(() => app.close())
  app.addHook('onSend', async (_request, _reply, payload) => {
    await new Promise(resolve => setImmediate(resolve))
    return payload
  })
  await app.register(resourceServer, { ...registered, problemDetails: true })
  app.get('/', async () => 'in')
  const { statusCode, headers, body } = await app.inject('/')
  t.equal(statusCode, 401)
  t.match(headers['content-type'], /^application\/problem\+json/)
  t.match(JSON.parse(body), { code: 'OAUTH_MISSING_TOKEN', status: 401 })
  t.strictSame(warnings, [], 'Fastify was not asked to answer twice')
})
