import type { ServerResponse } from 'node:http'
import fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import resourceServer, {
  type IntrospectionOptions,
  type ResourceServerOptions,
} from 'fastify-resource-server'
import { hashOf, makeProof, makeProofKey } from './hand-made-proof.js'
import { active, startOpaque, type OpaqueIssuer } from './opaque-issuer.js'
import { audience, buildApp } from './protected-app.js'

function protect(
  t: Test,
  opaque: OpaqueIssuer,
  introspection: Partial<IntrospectionOptions> = {},
  logged: Record<string, unknown>[] = [],
  options: Partial<ResourceServerOptions> = {},
): FastifyInstance {
  const stream = { write: (line: string) => void logged.push(JSON.parse(line) as Record<string, unknown>) }
  const app = fastify({ logger: { level: 'info', stream } })
  t.teardown(() => app.close())
  app.register(resourceServer, {
    issuer: opaque.url,
    audience,
    clock: () => opaque.clock.now,
    introspection: { clientId: 'receipts api', clientSecret: 'p@ss: word', ...introspection },
    ...options,
  })
  app.get('/', { config: { oauth: { scopes: ['read'] } } }, async ({ auth }) => auth)
  return app
}

const call = async (app: FastifyInstance, token: string) =>
  app.inject({ url: '/', headers: { authorization: `Bearer ${token}` } })

t.test('introspects an opaque token once for concurrent requests', async t => {
  const opaque = await startOpaque(t)
  const app = protect(t, opaque)
  opaque.answers.set('good', active(opaque))
  const answers = await Promise.all([1, 2, 3, 4, 5].map(() => call(app, 'good')))
  t.same(
    answers.map(({ statusCode }) => statusCode),
    [200, 200, 200, 200, 200],
  )
  t.match(answers[0]?.json(), { clientId: 'shop', subject: 'alice', scopes: ['read'], issuer: opaque.url })
  t.same(opaque.questions, [
    {
      // RFC 6749 §2.3.1: both form-encoded before they are joined.
      authorization: `Basic ${Buffer.from('receipts+api:p%40ss%3A+word').toString('base64')}`,
      form: { token: 'good', token_type_hint: 'access_token' },
    },
  ])
  t.equal((await call(app, 'good')).statusCode, 200)
  t.equal(opaque.questions.length, 1, 'and kept')
  opaque.clock.now += 10_001
  opaque.answers.set('good', { active: false })
  t.equal((await call(app, 'good')).statusCode, 401, 'a revoked token ends when the answer is too old')
})

t.test('caches a response no longer than the token is valid', async t => {
  const opaque = await startOpaque(t)
  const app = protect(t, opaque, { cacheMs: 3_600_000 })
  opaque.answers.set('short', active(opaque, { exp: Math.floor(opaque.clock.now / 1000) + 3 }))
  t.equal((await call(app, 'short')).statusCode, 200)
  opaque.clock.now += 3_000
  await call(app, 'short')
  t.equal(opaque.questions.length, 2)
})

t.test('caches a response no longer than maxTokenAgeMs allows', async t => {
  const opaque = await startOpaque(t)
  const app = protect(t, opaque, { cacheMs: 3_600_000 }, [], { maxTokenAgeMs: 60_000 })
  opaque.answers.set('good', active(opaque, { iat: opaque.clock.now / 1000 }))
  t.equal((await call(app, 'good')).statusCode, 200)
  opaque.clock.now += 65_000
  t.equal((await call(app, 'good')).statusCode, 401)
})

t.test('does not use a cached response from the future after the clock was set back', async t => {
  const opaque = await startOpaque(t)
  const app = protect(t, opaque)
  opaque.answers.set('good', active(opaque))
  t.equal((await call(app, 'good')).statusCode, 200)
  opaque.answers.set('good', { active: false })
  opaque.clock.now -= 1
  t.equal((await call(app, 'good')).statusCode, 401)
})

t.test('checks the response like the claims of a JWT', async t => {
  const opaque = await startOpaque(t)
  const logged: Record<string, unknown>[] = []
  const app = protect(t, opaque, {}, logged)
  const seconds = Math.floor(opaque.clock.now / 1000)
  const wrong: Record<string, [object, number, string]> = {
    inactive: [{ active: false }, 401, 'inactive'],
    'no audience': [active(opaque, { aud: undefined }), 401, 'claim'],
    'for somebody else': [active(opaque, { aud: 'https://other.example.com' }), 401, 'audience'],
    'no end': [active(opaque, { exp: undefined }), 401, 'claim'],
    ended: [active(opaque, { exp: seconds - 60 }), 401, 'expired'],
    'not yet': [active(opaque, { nbf: seconds + 60 }), 401, 'not_yet_valid'],
    'of another issuer': [active(opaque, { iss: 'https://evil.example' }), 401, 'issuer'],
    'odd types': [active(opaque, { sub: { a: 1 } }), 401, 'claim'],
    'bound to a key': [active(opaque, { cnf: { jkt: 'thumbprint' } }), 401, 'binding'],
    'another scope': [active(opaque, { scope: 'write' }), 403, 'scope'],
  }
  for (const [token, [answer, status, reason]] of Object.entries(wrong)) {
    const raw = token.replaceAll(' ', '-')
    opaque.answers.set(raw, answer)
    t.equal((await call(app, raw)).statusCode, status, token)
    t.equal(logged.findLast(line => line['msg'] === 'access refused')?.['reason'], reason, token)
  }
  opaque.answers.set('without-iss', active(opaque, { iss: undefined }))
  t.equal((await call(app, 'without-iss')).statusCode, 200, 'iss is optional there')
  t.notMatch(JSON.stringify(logged), /without-iss|p@ss/, 'neither token nor secret is logged')
})

t.test('responds with 503 while the issuer is unavailable and recovers afterwards', async t => {
  const opaque = await startOpaque(t)
  const app = protect(t, opaque)
  const broken: Record<string, (response: ServerResponse) => void> = {
    'status-500': response => response.writeHead(500).end('{}'),
    'wrong-secret': response => response.writeHead(401, { 'www-authenticate': 'Basic' }).end('{}'),
    'no-json': response => response.end('<html>'),
    'no-active': response => response.end('{}'),
    'hung-up': response => response.destroy(),
    redirect: response => response.writeHead(302, { location: '/elsewhere' }).end(),
    'too-large': response => response.end(JSON.stringify({ active: true, filler: 'a'.repeat(100_000) })),
  }
  for (const [token, answer] of Object.entries(broken)) {
    opaque.answers.set(token, answer)
    const { statusCode, headers } = await call(app, token)
    t.equal(statusCode, 503, token)
    t.ok(headers['retry-after'], token)
  }
  opaque.answers.set('status-500', active(opaque))
  t.equal((await call(app, 'status-500')).statusCode, 200, 'failures are not kept')
})

t.test('requires a proof for a bound opaque token (RFC 7662 §2.2, RFC 9449 §6.2)', async t => {
  const opaque = await startOpaque(t)
  const app = buildApp(t)
  app.register(resourceServer, {
    issuer: opaque.url,
    audience,
    clock: () => opaque.clock.now,
    introspection: { clientId: 'api', clientSecret: 'secret-text' },
    dpop: { origin: audience },
  })
  app.get('/', async ({ auth }) => auth.clientId)
  const key = makeProofKey()
  opaque.answers.set('bound', active(opaque, { cnf: { jkt: key.thumbprint } }))
  const claims = { htm: 'GET', htu: `${audience}/`, iat: opaque.clock.now / 1000, ath: hashOf('bound') }
  const prove = async (jti: string) => {
    const headers = { authorization: 'DPoP bound', dpop: makeProof(key, { ...claims, jti }) }
    return (await app.inject({ url: '/', headers })).statusCode
  }
  t.equal(await prove('one'), 200)
  t.equal(await prove('two'), 200, 'from what is kept')
  t.equal(await prove('two'), 401, 'the proof a second time')
  t.equal((await call(app, 'bound')).statusCode, 401, 'as a bearer token')
  t.equal(opaque.questions.length, 1)
})

t.test('verifies JWTs locally; refuses opaque tokens without the option', async t => {
  const opaque = await startOpaque(t)
  const app = protect(t, opaque)
  await call(app, 'a.b.c')
  t.equal(opaque.questions.length, 0)
  t.equal((await call(app, 'a.b')).statusCode, 401, 'two segments are no JWT')
  t.equal(opaque.questions.length, 1)
  t.equal((await call(app, 'a'.repeat(17_000))).statusCode, 401, 'too long to be asked about')
  t.equal(opaque.questions.length, 1)

  const without = buildApp(t)
  without.register(resourceServer, { issuer: opaque.url, audience })
  without.get('/', async () => 'in')
  t.equal((await call(without, 'good')).statusCode, 401)
  t.equal(opaque.questions.length, 1)
})

t.test('accepts a secret from a function and an endpoint from the options', async t => {
  const opaque = await startOpaque(t, { introspection_endpoint: undefined })
  let fetched = 0
  const clientSecret = async (): Promise<string> => `secret-${(fetched += 1)}`
  const app = protect(t, opaque, { clientSecret, endpoint: `${opaque.url}/here`, cacheMs: 0 })
  opaque.answers.set('good', active(opaque))
  t.equal((await call(app, 'good')).statusCode, 200)
  t.equal((await call(app, 'good')).statusCode, 200)
  t.same(
    opaque.questions.map(({ authorization = '' }) =>
      decodeURIComponent(Buffer.from(authorization.slice(6), 'base64').toString()),
    ),
    ['receipts+api:secret-1', 'receipts+api:secret-2'],
    'asked each time, as the answers are',
  )
  t.notOk(opaque.asked.includes('/introspect'))

  const nowhere = protect(t, opaque)
  t.equal((await call(nowhere, 'good')).statusCode, 503, 'no endpoint in the metadata')
})

t.test('does not send the secret to a plain http endpoint from the metadata', async t => {
  const opaque = await startOpaque(t, { introspection_endpoint: 'http://login.example.com/introspect' })
  const logged: Record<string, unknown>[] = []
  const app = protect(t, opaque, {}, logged)
  t.equal((await call(app, 'good')).statusCode, 503)
  t.match(
    logged.find(line => line['reason'] === 'unavailable'),
    {
      detail:
        /has the introspection_endpoint http:\/\/login\.example\.com\/introspect, expected an absolute https URL/,
    },
  )
})

t.test('does not start with invalid options', async t => {
  const one = { issuer: 'https://login.example.com', audience }
  const good = { clientId: 'api', clientSecret: 'secret-text' }
  const wrong: [unknown, RegExp][] = [
    ['yes', /option `introspection` is "yes"; expected an object such as/],
    [{ clientSecret: 'secret-text' }, /`introspection\.clientId` is missing/],
    [{ clientId: 'api' }, /`introspection\.clientSecret` is missing; set it .*`privateKey`/],
    [
      { clientId: 'api', clientSecret: 7 },
      /`introspection\.clientSecret` is a number; expected a string, or a function/,
    ],
    [{ ...good, endpoint: 'http://login.example.com/introspect' }, /`introspection\.endpoint`.*an https URL/],
    [{ ...good, cacheMs: -1 }, /`introspection\.cacheMs` is -1/],
    [{ ...good, clientid: 'api' }, /no option `introspection\.clientid`.*did you mean `clientId`/],
  ]
  for (const [introspection, message] of wrong) {
    const app = buildApp(t)
    app.register(resourceServer, { ...one, introspection: introspection as never })
    await t.rejects(async () => app.ready(), { message }, String(message))
  }
})
