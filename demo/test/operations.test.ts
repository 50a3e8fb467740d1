import { once } from 'node:events'
import { Agent, get, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import fastify from 'fastify'
import t from 'tap'
import { buildAuthorizationServer } from '#src/authorization-server/app.js'
import { loadConfig } from '#src/load-config.js'
import { closeConnections } from '#src/operations/close-connections.js'
import { health } from '#src/operations/health.js'
import { operations } from '#src/operations/operations.js'
import { problemDetails } from '#src/operations/problem-details.js'
import { openShop } from './open-shop.js'

t.test('each service has health checks and API documentation', async t => {
  const { payments, receipts } = await openShop(t)
  for (const [service, scopes] of [
    [payments, ['payments:read', 'payments:write']],
    [receipts, ['receipts:read', 'receipts:write']],
  ] as const) {
    t.strictSame((await service.inject('/health')).json(), { status: 'ok' })
    t.strictSame((await service.inject('/ready')).json(), { status: 'ready', missing: [] })
    t.match((await service.inject('/docs')).body, 'swagger-ui')
    const undecodable = await service.inject('/%zz')
    t.match(undecodable.headers, {
      'content-type': 'application/problem+json',
      'content-security-policy': "default-src 'none'",
    })
    t.match(undecodable.json(), { title: 'Bad Request', status: 400, code: 'FST_ERR_BAD_URL' })
    const { components, paths } = (await service.inject('/docs/json')).json<{
      components: { securitySchemes: { oauth2: { flows: { clientCredentials: { scopes: object } } } } }
      paths: Record<string, Record<string, { security?: Record<string, string[]>[] }>>
    }>()
    t.strictSame(Object.keys(components.securitySchemes.oauth2.flows.clientCredentials.scopes), scopes)
    const operations = Object.values(paths).flatMap(path => Object.values(path))
    t.ok(operations.length > 0)
    t.ok(
      operations.every(({ security = [] }) =>
        security.some(one =>
          Object.values(one)
            .flat()
            .some(scope => scopes.includes(scope as never)),
        ),
      ),
      'each operation names its scope',
    )
  }
})

t.test('each service has a rate limit and security headers', async t => {
  const { storefront, payments, receipts, authorizationServer } = await openShop(t)
  for (const service of [storefront, payments, receipts, authorizationServer]) {
    if (service === undefined) throw new Error('a service is missing')
    for (const path of ['/health', '/ready']) {
      const { statusCode, headers } = await service.inject(path)
      t.equal(statusCode, 200)
      t.notOk('x-ratelimit-limit' in headers, 'health checks are not limited')
    }
  }
  for (const [service, path, limit] of [
    [storefront, '/', '3000'],
    [payments, '/payments/x', '30000'],
    [receipts, '/receipts/x', '30000'],
    [authorizationServer, '/jwks', '30000'],
  ] as const) {
    const { headers } = (await service?.inject(path)) ?? {}
    t.equal(headers?.['x-ratelimit-limit'], limit, path)
    t.equal(headers?.['x-content-type-options'], 'nosniff')
    t.match(headers?.['content-security-policy'], /^default-src 'none'/)
  }

  const docs = await payments.inject('/docs/')
  t.match(docs.headers['content-security-policy'], "script-src 'self'")
  const scripts = [...docs.body.matchAll(/<script([^>]*)>([^<]*)/g)]
  t.ok(scripts.length > 0)
  t.ok(
    scripts.every(([, attributes, inline]) => attributes?.includes('src="./') && inline?.trim() === ''),
    'the documentation page has no script that its policy blocks',
  )
})

t.test('too many requests from one address get 429 with Retry-After', async t => {
  const app = fastify()
  await app.register(problemDetails)
  await app.register(operations, { requestsPerMinute: 2 })
  app.get('/', async () => 'here')
  const ask = (url: string, remoteAddress = '192.0.2.1') => app.inject({ url, remoteAddress })
  t.equal((await ask('/')).statusCode, 200)
  t.equal((await ask('/')).statusCode, 200)
  const refused = await ask('/')
  t.equal(refused.statusCode, 429)
  t.equal(refused.headers['content-type'], 'application/problem+json')
  t.match(refused.json(), { title: 'Too Many Requests', status: 429, code: 'TOO_MANY_REQUESTS' })
  const seconds = Number(refused.headers['retry-after'])
  t.ok(seconds > 0 && seconds <= 60, 'within the minute')
  t.match(refused.headers, { 'x-content-type-options': 'nosniff' })
  t.equal((await ask('/', '192.0.2.2')).statusCode, 200, 'others are not in the way')
  for (const path of ['/health', '/ready', '/health']) t.equal((await ask(path)).statusCode, 200)
})

t.test("the issuer logs refused token requests with the caller's trace id", async t => {
  const lines: string[] = []
  const config = loadConfig({ storefront: 1, payments: 2, receipts: 3, authorizationServer: 4 })
  const issuer = await buildAuthorizationServer(
    { ...config.authorizationServer, logLevel: 'info' },
    { write: line => void lines.push(line) },
  )
  t.teardown(() => issuer.close())
  const url = await issuer.listen({ host: '127.0.0.1', port: 0 })
  const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
  const answer = await fetch(`${url}/token`, {
    method: 'POST',
    headers: { traceparent: `00-${traceId}-00f067aa0ba902b7-01` },
    body: new URLSearchParams({ grant_type: 'client_credentials', client_id: 'nobody' }),
  })
  t.equal(answer.status, 401)
  const said = lines.map(line => JSON.parse(line) as { msg: string; traceId?: string })
  for (const msg of ['incoming request', 'no token issued'])
    t.match(
      said.find(line => line.msg === msg),
      { traceId },
      msg,
    )
})

t.test('/ready answers 503 with the missing dependencies, while /health answers 200', async t => {
  const app = fastify()
  await app.register(problemDetails)
  await app.register(health, {
    checks: { database: () => Promise.reject(new Error('password=secret')), disk: async () => 1 },
  })
  const answer = await app.inject('/ready')
  t.equal(answer.statusCode, 503)
  t.strictSame(answer.json(), { status: 'not ready', missing: ['database'] })
  t.equal(answer.headers['cache-control'], 'no-store')
  t.equal((await app.inject('/health')).statusCode, 200)
})

t.test('closing answers running requests and does not wait for idle connections', async t => {
  const app = fastify()
  closeConnections(app)
  let finish: (() => void) | undefined
  const asked = new Promise<void>(resolve => {
    app.get('/whole', async () => {
      resolve()
      await new Promise<void>(go => (finish = go))
      return 'finished'
    })
  })
  const body = new PassThrough()
  app.get('/half', (_request, reply) => reply.type('text/plain').send(body))
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  const silent = connect(Number(new URL(url).port), '127.0.0.1')
  await once(silent, 'connect')

  // Connections with keep-alive, as services use them.
  const agent = new Agent({ keepAlive: true })
  t.teardown(() => agent.destroy())
  const answerTo = async (path: string): Promise<IncomingMessage> => {
    const [answer] = await once(get(url + path, { agent }), 'response')
    return answer as IncomingMessage
  }
  body.write('begun, ')
  const half = await answerTo('/half')
  const whole = answerTo('/whole')
  await asked
  const closed = app.close()
  await once(silent, 'close')
  finish?.()
  body.end('finished')
  t.equal(await text(await whole), 'finished')
  t.equal((await whole).headers.connection, 'close', 'the client is told')
  t.equal(await text(half), 'begun, finished')
  await closed
})
