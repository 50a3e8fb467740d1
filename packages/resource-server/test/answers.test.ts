import { request } from 'node:http'
import fastify, { type FastifyReply } from 'fastify'
import resourceServer from 'fastify-resource-server'
import t from 'tap'
import { buildApp, registered, startBench } from './protected-app.js'
import { holdAnswer, makeKey } from './hand-made-issuer.js'

t.test('answers each kind of refusal with its challenge', async t => {
  const bench = await startBench(t, { realm: 'the "API" \\ one' })
  const challenge = async (authorization: string | undefined, url?: string): Promise<unknown> =>
    (await bench.send(authorization, url)).headers['www-authenticate']
  const realm = String.raw`Bearer realm="the \"API\" \\ one"`
  t.equal(await challenge(undefined), realm, 'bare when nothing was sent: no error code (RFC 6750 §3.1)')
  t.equal(
    await challenge('Bearer a b'),
    `${realm}, error="invalid_request", error_description="The request must carry exactly one access token in the Authorization header"`,
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

t.test("sends Fastify's error body with a stable code, and logs the reason but never the token", async t => {
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

t.test('keeps the challenge with a custom error handler', async t => {
  const app = buildApp(t)
  app.setErrorHandler((error, _request, reply) =>
    reply.code((error as { statusCode?: number }).statusCode ?? 500).send({ mine: true }),
  )
  await app.register(resourceServer, registered)
  app.get('/', async () => 'in')
  const { statusCode, headers, body } = await app.inject('/')
  t.strictSame([statusCode, headers['www-authenticate'], body], [401, 'Bearer', '{"mine":true}'])
})

t.test('sends no second response if another hook has responded', async t => {
  for (const problemDetails of [false, true]) {
    const bench = await startBench(t)
    const warnings: unknown[] = []
    const stream = { write: (line: string) => void warnings.push((JSON.parse(line) as { msg: string }).msg) }
    const app = fastify({ logger: { level: 'warn', stream } })
    t.teardown(() => app.close())
    const waiting: FastifyReply[] = []
    app.addHook('onRequest', (_request, reply, done) => {
      waiting.push(reply)
      done()
    })
    await app.register(resourceServer, {
      ...registered,
      issuer: bench.issuer.url,
      keys: undefined as never,
      problemDetails,
    })
    app.get('/', async () => 'in')
    const held = holdAnswer(bench.issuer)
    const answer = app.inject({
      url: '/',
      headers: { authorization: `Bearer ${bench.token({ exp: 4e9, iat: 1 })}` },
    })
    const keys = await held
    waiting[0]?.code(408).send('too late')
    keys.writeHead(500).end()
    t.equal((await answer).statusCode, 408)
    while (warnings.length === 0) await new Promise(resolve => setImmediate(resolve))
    await new Promise(resolve => setImmediate(resolve))
    t.strictSame(warnings, ["the issuer's keys cannot be fetched"])
  }
})

t.test('answers a WebSocket upgrade with the challenge', async t => {
  const app = buildApp(t)
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

t.test('sends problem details (RFC 9457) with the option `problemDetails`', async t => {
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

t.test('sends problem details once, even if onSend hooks are slow', async t => {
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
