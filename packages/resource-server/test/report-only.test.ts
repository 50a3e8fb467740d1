import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import t, { type Test } from 'tap'
import resourceServer, {
  type ResourceServerEvents,
  type ResourceServerOptions,
} from 'fastify-resource-server'
import { makeKey, holdAnswer } from './hand-made-issuer.js'
import { hashOf, makeProof, makeProofKey } from './hand-made-proof.js'
import { active, startOpaque } from './opaque-issuer.js'
import { audience, buildApp, registered, startBench, type Bench } from './protected-app.js'

// `mode: 'report'`: the application answers as if the plugin were not there, and tells what it would refuse.

function headersOf({ headers }: LightMyRequestResponse): object {
  return { ...headers, date: undefined }
}

/** The issuer's key is known: what is verified now is reported at once. */
async function startReporting(t: Test, options: Partial<ResourceServerOptions> = {}): Promise<Bench> {
  const bench = await startBench(t, { mode: 'report', verifyInThreadPool: false, ...options })
  await bench.app.oauth.verify(bench.token({ jti: 'the first' }))
  return bench
}

/** Each entry as a line; `?` after a client that nobody verified. */
function reportedBy({ oauth }: FastifyInstance): readonly string[] {
  return oauth
    .stats()
    .reported.map(
      ({ client, isVerified, route, reason, count }) =>
        `${count} ${client ?? '-'}${isVerified ? '' : '?'} ${route} ${reason}`,
    )
}

t.test('answers all requests as without the plugin', async t => {
  const { app, token } = await startReporting(t, { problemDetails: true })
  const unguarded = buildApp(t)
  unguarded.get('/any', async () => 'any')
  const requests: Record<string, Record<string, string>> = {
    'no token': {},
    'a good token': { authorization: `Bearer ${token()}` },
    garbage: { authorization: 'Bearer a.b.c' },
    'no credentials': { authorization: '' },
    'another scheme': { authorization: 'Basic eDp5' },
    expired: { authorization: `Bearer ${token({ exp: 1 })}` },
    'another audience': { authorization: `Bearer ${token({ aud: 'other' })}` },
    'another issuer': { authorization: `Bearer ${token({ iss: 'https://evil.example' })}` },
    'another key': { authorization: `Bearer ${token({}, {}, makeKey('other'))}` },
    'bound to a key': { authorization: `Bearer ${token({ cnf: { jkt: 'x' } })}` },
    oversized: { authorization: `Bearer ${'a'.repeat(17_000)}` },
  }
  for (const [name, headers] of Object.entries(requests)) {
    const answer = await app.inject({ url: '/any', headers })
    const expected = await unguarded.inject({ url: '/any', headers })
    t.equal(answer.statusCode, 200, name)
    t.equal(answer.body, expected.body, name)
    t.same(headersOf(answer), headersOf(expected), name)
  }
  t.equal((await app.inject('/nowhere')).statusCode, 404)
})

t.test('sets request.auth to null for every request', async t => {
  const bench = await startBench(t)
  const app = buildApp(t)
  const seen: unknown[] = []
  await app.register(async older => {
    older.decorateRequest('tenant', 'acme')
    older.post('/older', async ({ auth, body }) => void seen.push([auth, body]))
  })
  await app.register(resourceServer, {
    issuer: bench.issuer.url,
    audience,
    clock: () => bench.clock.now,
    mode: 'report',
    verifyInThreadPool: false,
  })
  await app.oauth.verify(bench.token({ jti: 'the first' }))
  app.post('/', async ({ auth, body }) => void seen.push([auth, body]))
  for (const url of ['/', '/older'])
    for (const headers of [{}, { authorization: `Bearer ${bench.token()}` }])
      await app.inject({ method: 'POST', url, headers, payload: { cents: 7 } })
  t.strictSame(
    seen,
    [1, 2, 3, 4].map(() => [null, { cents: 7 }]),
  )
  t.equal(app.oauth.stats().allowed, 3, 'with the first one')
})

t.test('counts requests that would be refused by client, route and reason', async t => {
  const { app, call, send, token, clock } = await startReporting(t)
  await call(token())
  await call(token({ client_id: 'old', scope: 'read' }), '/write')
  await call(token({ client_id: 'old', scope: 'read' }), '/write')
  await call(token({ client_id: 'other', aud: 'https://old.example' }))
  await call(token({ client_id: undefined, azp: 'entra' }))
  await call('a.b.c')
  clock.now += 1_000
  await send(undefined)
  await send(undefined, '/files/1')
  await send(undefined, '/files/2')
  await send(undefined, '/public')
  t.same(reportedBy(app), [
    '2 old GET /write scope',
    '1 other? GET /read audience',
    '1 entra? GET /read claim',
    '1 -? GET /read malformed',
    '1 -? GET /read missing',
    '2 -? GET /files/* missing',
  ])
  t.match(app.oauth.stats(), { allowed: 2, refused: {} })
  t.equal(app.oauth.stats().reported.at(-1)?.lastAt, clock.now)
})

t.test('reports the client of every verified token as verified', async t => {
  const uncached = await startReporting(t, { maxCachedTokens: 0 })
  await uncached.call(uncached.token({ client_id: 'old' }), '/write')
  t.same(reportedBy(uncached.app), ['1 old GET /write scope'])

  const revoking = await startReporting(t, { revocation: true })
  const until = revoking.clock.now + 3_600_000
  await revoking.app.oauth.revoke({ clientId: 'old' }, { until })
  await revoking.call(revoking.token({ client_id: 'old' }))
  await revoking.call(revoking.token({ client_id: 'old' }))
  t.same(reportedBy(revoking.app), ['2 old GET /read revoked'])

  const opaque = await startOpaque(t)
  const app = buildApp(t)
  await app.register(resourceServer, {
    issuer: opaque.url,
    audience,
    clock: () => opaque.clock.now,
    introspection: { clientId: 'receipts', clientSecret: 'p@ss: word' },
    mode: 'report',
  })
  app.get('/', { config: { oauth: { scopes: ['write'] } } }, async () => 'in')
  opaque.answers.set('good', active(opaque))
  await app.inject({ url: '/', headers: { authorization: 'Bearer good' } })
  while (reportedBy(app).length === 0) await new Promise(resolve => setImmediate(resolve))
  t.same(reportedBy(app), ['1 shop GET / scope'])
})

t.test('logs each entry at most once a minute, and publishes every event', async t => {
  const events: object[] = []
  const listen = (message: unknown): void => {
    const { request: _, ...event } = message as ResourceServerEvents['fastify-resource-server:report']
    events.push(event)
  }
  subscribe('fastify-resource-server:report', listen)
  t.teardown(() => unsubscribe('fastify-resource-server:report', listen))
  const { call, token, clock, logged } = await startReporting(t)
  const lines = (): unknown[] => logged.filter(({ msg }) => msg === 'access would be refused')
  const good = token({ client_id: 'old' })
  for (let n = 0; n < 5; n += 1) await call(good, '/write')
  t.equal(lines().length, 1)
  clock.now += 60_000
  for (let n = 0; n < 5; n += 1) await call(good, '/write')
  t.equal(lines().length, 2)
  const about = {
    client: 'old',
    isVerified: true,
    route: 'GET /write',
    reason: 'scope',
    detail: 'the route requires all of the scopes [write]; the token has the scopes [read] and the roles []',
  }
  t.match(lines()[1], { ...about, count: 6, level: 30 })
  t.equal(events.length, 10)
  t.same(events[9], { ...about, statusCode: 403, issuer: undefined, kid: undefined })
  t.notMatch(JSON.stringify([logged, events]), good.slice(-20))
})

t.test('lets no request wait for the issuer', async t => {
  const { app, call, token, issuer } = await startBench(t, { mode: 'report', prefetch: 'lazy' })
  const held = holdAnswer(issuer)
  t.equal((await call(token())).statusCode, 200)
  const response = await held
  t.same(reportedBy(app), [], 'nobody knows yet')
  response.writeHead(500).end()
  while (reportedBy(app).length === 0) await new Promise(resolve => setImmediate(resolve))
  t.same(reportedBy(app), ['1 payment? GET /read unavailable'])
})

t.test('checks proofs without the replay store and without nonces', async t => {
  const added = new Set<string>()
  const replayStore = { add: (id: string) => added.size < added.add(id).size }
  const bench = await startReporting(t, { dpop: { origin: audience, nonce: true, replayStore } })
  const atStart = added.size
  const client = makeProofKey()
  const bound = bench.token({ cnf: { jkt: client.thumbprint } })
  const proof = (jti: string, htm: string): string => {
    const iat = Math.floor(bench.clock.now / 1000)
    return makeProof(client, { htm, htu: `${audience}/read`, iat, jti, ath: hashOf(bound) })
  }
  const prove = (dpop: string): Promise<LightMyRequestResponse> =>
    bench.app.inject({ url: '/read', headers: { authorization: `DPoP ${bound}`, dpop } })
  const good = proof('one', 'GET')
  for (let n = 0; n < 2; n += 1) {
    const { statusCode, headers } = await prove(good)
    t.equal(statusCode, 200)
    t.equal(headers['dpop-nonce'], undefined)
  }
  t.same(reportedBy(bench.app), [], 'a proof that is used twice is not noticed')
  t.equal(added.size, atStart, 'no proof is taken from servers that share the store')
  await prove(proof('two', 'PUT'))
  await bench.call(bound)
  t.same(reportedBy(bench.app), ['1 payment GET /read proof', '1 payment GET /read binding'])
})

t.test('reports a failing callback', async t => {
  const { call, token, app } = await startReporting(t, {
    clientCertificate: () => {
      throw new Error('the proxy is gone')
    },
  })
  t.equal((await call(token({ cnf: { 'x5t#S256': 'x' } }))).statusCode, 200)
  t.same(reportedBy(app), ['1 payment GET /read binding'], 'refused, as with enforcement')

  let faults = 0
  const broken = await startReporting(t, {
    clock: () => (faults-- > 0 ? Number.NaN : 1_800_000_000_000),
  })
  faults = 1
  t.equal((await broken.call(broken.token())).statusCode, 200)
  t.same(reportedBy(broken.app), ['1 -? GET /read failed'])
  t.match(
    broken.logged.find(({ reason }) => reason === 'failed'),
    { msg: 'access would be refused', err: { message: /clock function/ } },
  )
  faults = 100
  t.equal((await broken.call(broken.token())).statusCode, 200, 'also if the report fails')
  faults = 0
})

t.test('limits unverified names to half of the entries', async t => {
  const { app, call, token } = await startReporting(t)
  const forged = makeKey('forged')
  for (let n = 0; n < 600; n += 1) await call(token({ client_id: `c${n}`, aud: 'other' }, {}, forged))
  await call(token({ client_id: 'real' }), '/write')
  const { reported } = app.oauth.stats()
  t.equal(reported.length, 502)
  t.match(reported[500], { client: null, reason: 'audience', count: 100 })
  t.match(reported[501], { client: 'real', isVerified: true, count: 1 })
  await call(token({ client_id: 'x'.repeat(5_000), sub: 's', aud: 'other' }), '/any')
  t.ok(reportedBy(app).every(line => line.length < 200))
})

t.test('warns at start and lists every route as not enforced', async t => {
  const { app, logged } = await startReporting(t)
  t.match(
    logged.filter(({ level }) => level === 40),
    [{ msg: /^mode: 'report' is set: no route is protected, / }],
  )
  t.match(app.oauth.printRoutes(), /GET,HEAD +\/read +NOT ENFORCED \(mode: 'report'\): read\n/)
  t.match(app.oauth.printRoutes(), /\/public +public\n/)
  t.same(
    app.oauth.routes().map(({ url, access }) => `${url} ${access}`),
    ['/read report', '/write report', '/any report', '/files/* report', '/public public'],
  )
  const enforced = await startBench(t)
  t.same(
    enforced.logged.filter(({ level }) => level === 40),
    [],
  )
})

t.test('enforces oauth.verify and oauth.authenticate', async t => {
  const { app, token } = await startReporting(t)
  await t.rejects(app.oauth.verify('a.b.c'), { code: 'OAUTH_INVALID_TOKEN' })
  t.match(await app.oauth.verify(token()), { clientId: 'payment' })
  const other = buildApp(t)
  await other.register(resourceServer, { ...registered, mode: 'report' })
  other.get('/', { onRequest: other.oauth.authenticate({ scopes: ['read'] }) }, async () => 'in')
  t.equal((await other.inject('/')).statusCode, 401)
})

t.test('rejects an unknown mode', async t => {
  for (const mode of ['reports', undefined, true])
    await t.rejects(
      async () => buildApp(t).register(resourceServer, { ...registered, mode: mode as never }),
      { code: 'OAUTH_INVALID_OPTION', message: /option `mode` is .*expected 'enforce' or 'report'/ },
    )
})
