import fastify, { LogController, type FastifyBaseLogger } from 'fastify'
import t, { type Test } from 'tap'
import { Type } from 'typebox'
import { Agent } from 'undici'
import resourceServer, { type ResourceServerOptions } from 'fastify-resource-server'
import { brokenDispatchers } from 'test-support/broken-dispatchers'
import { faults, settle, watchProcess } from 'test-support/faults'
import { createCachedVerifier } from '#src/verifier.js'
import { parseOptions } from '#src/options/options.js'
import { makeKey, signRaw, startHandMadeIssuer } from './hand-made-issuer.js'
import { hashOf, makeProof, makeProofKey, type ProofKey } from './hand-made-proof.js'
import { startOpaque } from './opaque-issuer.js'
import { audience, registered } from './protected-app.js'

// docs/security.md lists every place where the package calls code of others. Whatever that code does: the process stays
// up, each request gets one answer with a fixed message, and other requests are unaffected.

const key = makeKey('first')
const issuer = registered.issuer
const seconds = (): number => Math.floor(Date.now() / 1000)
const claims = (changes: object = {}): object => ({
  iss: issuer,
  aud: audience,
  sub: 'payment',
  client_id: 'payment',
  iat: seconds(),
  exp: seconds() + 300,
  jti: 'one',
  scope: 'read',
  ...changes,
})
const signed = (changes: object = {}, header: object = {}): string =>
  signRaw({ alg: 'ES256', typ: 'at+jwt', kid: 'first', ...header }, claims(changes), key)

const disagree = async () => () => false

/** A logger whose methods all do the same. */
function loggerThat(write: () => unknown): FastifyBaseLogger {
  const logger: Record<string, unknown> = { level: 'info', child: () => logger }
  for (const level of ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']) logger[level] = write
  return logger as unknown as FastifyBaseLogger
}

async function startApp(t: Test, options: Partial<ResourceServerOptions>, app = fastify()) {
  t.teardown(() => app.close())
  await app.register(resourceServer, { ...registered, keys: [key.jwk], ...options })
  app.get('/read', { config: { oauth: { scopes: ['read'] } } }, async ({ auth }) => auth.subject)
  app.get('/public', { config: { oauth: false } }, async () => 'public')
  await app.ready()
  const send = (authorization?: string, url = '/read') =>
    app.inject({ url, headers: authorization === undefined ? {} : { authorization } })
  return { app, send }
}

const refused: Readonly<Record<string, { header: string | undefined; status: number; challenge: RegExp }>> = {
  'a request without a token': { header: undefined, status: 401, challenge: /^Bearer$/ },
  'a token that is none': { header: 'Bearer x.y.z', status: 401, challenge: /invalid_token/ },
  'several credentials': { header: 'Bearer a, Bearer b', status: 400, challenge: /invalid_request/ },
  // These wait for a promise, after which no caller is there to catch anything.
  'an unknown key': {
    header: `Bearer ${signed({}, { kid: 'other' })}`,
    status: 401,
    challenge: /invalid_token/,
  },
  'a wrong signature': {
    header: `Bearer ${signed().slice(0, -8)}AAAAAAAA`,
    status: 401,
    challenge: /invalid_token/,
  },
  'a missing scope': {
    header: `Bearer ${signed({ scope: 'write' })}`,
    status: 403,
    challenge: /insufficient_scope/,
  },
}

for (const [how, write] of Object.entries(faults))
  t.test(`answers in the same way with a logger that ${how}`, async t => {
    const fatal = watchProcess(t)
    let works = true
    const logger = loggerThat(() => (works ? undefined : write()))
    const logController = new LogController({ disableRequestLogging: true })
    const app = fastify({ loggerInstance: logger, logController })
    const { send } = await startApp(t, {}, app)
    works = false
    for (const [what, { header, status, challenge }] of Object.entries(refused)) {
      const { statusCode, headers, body } = await send(header)
      t.equal(statusCode, status, what)
      t.match(headers['www-authenticate'], challenge, what)
      t.notMatch(body, /internal/, what)
    }
    await t.rejects(app.oauth.verify('x.y.z'), { code: 'OAUTH_INVALID_TOKEN', reason: 'malformed' })
    t.equal((await send(`Bearer ${signed()}`)).statusCode, 200)
    await settle()
    t.strictSame(fatal, [])
  })

for (const [how, write] of Object.entries(faults))
  t.test(`fetches keys with a logger that ${how}`, async t => {
    const fatal = watchProcess(t)
    const own = await startHandMadeIssuer(t, [key])
    own.keys = [...own.keys, { kty: 'oct', kid: 'ignored' }, makeKey('withdrawn').jwk]
    let time = Date.now()
    const settings = parseOptions({ issuer: own.url, audience, clock: () => time })
    const verifier = await createCachedVerifier(settings, loggerThat(write))
    t.teardown(() => verifier.close())
    await verifier.loadKeys()
    t.strictSame(verifier.state().issuers[0]?.kids, ['first', 'withdrawn'])
    own.keys = own.keys.slice(0, 1)
    time += 1_000
    await verifier.loadKeys()
    t.strictSame(verifier.state().issuers[0]?.kids, ['first'], 'a withdrawal is logged')
    own.keys = []
    await t.rejects(verifier.loadKeys(), /\/jwks/, 'a failure is logged, and told as it is')
    t.equal(verifier.state().issuers[0]?.failures, 1)
    await settle()
    t.strictSame(fatal, [])
  })

t.test('refuses a disputed token with a logger that throws', async t => {
  const fatal = watchProcess(t)
  const settings = parseOptions({ ...registered, keys: [key.jwk] })
  const verifier = await createCachedVerifier(settings, loggerThat(faults['throws'] as () => never), disagree)
  t.match(await verifier.verify({ accessToken: signed(), header: 'any' }), { reason: 'signature' })
  await settle()
  t.strictSame(fatal, [])
})

const fault = {
  statusCode: 500,
  code: 'OAUTH_GUARD_FAILED',
  error: 'Internal Server Error',
  message: 'Access to this route could not be checked',
}

for (const problemDetails of [false, true])
  t.test(`answers 500 if a rule becomes invalid after the start: ${problemDetails}`, async t => {
    const logged: string[] = []
    const app = fastify({ logger: { stream: { write: (line: string) => void logged.push(line) } } })
    const oauth: { scopes: [string] } = { scopes: ['read'] }
    app.get('/changed', { config: { oauth } }, async () => 'open')
    const { send } = await startApp(t, { problemDetails }, app)
    oauth.scopes = ['internal']
    const answer = await send(`Bearer ${signed()}`, '/changed')
    t.strictSame(answer.json(), fault)
    t.match(logged.join(''), /OAUTH_INVALID_ROUTE|config\.oauth\.scopes contains/)
    t.equal((await send(`Bearer ${signed()}`)).statusCode, 200)
  })

/** Fastify asks `trustProxy` for the host of the request, which a DPoP proof has to name. */
for (const [how, trustProxy] of Object.entries(faults))
  t.test(`accepts no invalid token with a trustProxy that ${how}`, async t => {
    const fatal = watchProcess(t)
    const app = fastify({ trustProxy: trustProxy as () => boolean })
    const { send } = await startApp(t, { dpop: 'allow' }, app)
    const client = makeProofKey()
    const token = signed({ cnf: { jkt: client.thumbprint } })
    const proof = makeProof(client, {
      htm: 'GET',
      htu: 'https://elsewhere.example/read',
      iat: seconds(),
      jti: how,
      ath: hashOf(token),
    })
    const answer = await app.inject({
      url: '/read',
      headers: { authorization: `DPoP ${token}`, dpop: proof },
    })
    t.ok([401, 500].includes(answer.statusCode), String(answer.statusCode))
    t.notMatch(answer.body, /internal/)
    t.equal((await send(`Bearer ${signed()}`)).statusCode, 200)
    await settle()
    t.strictSame(fatal, [])
  })

for (const waits of [false, true])
  t.test(`leaves errors of other hooks and error handlers alone: waits ${waits}`, async t => {
    const fatal = watchProcess(t)
    const app = fastify()
    app.setErrorHandler(() => {
      throw new Error('thrown by the error handler')
    })
    app.addHook('onSend', async ({ url }) => {
      if (url === '/public') throw new Error('thrown by onSend')
    })
    app.addHook('onError', async () => {
      throw undefined
    })
    const { send } = await startApp(t, {}, app)
    const header = waits ? `Bearer ${signed({}, { kid: 'other' })}` : 'Bearer x.y.z'
    const answer = await send(header)
    t.match(answer.json(), { statusCode: 500, message: 'thrown by the error handler' })
    t.match(answer.headers['www-authenticate'], /invalid_token/)
    t.equal((await send(undefined, '/public')).statusCode, 500)
    t.equal((await send(`Bearer ${signed()}`)).statusCode, 200)
    await settle()
    t.strictSame(fatal, [])
  })

const bound = (client: ProofKey) => signed({ cnf: { jkt: client.thumbprint } })

for (const [how, clock] of Object.entries(faults))
  t.test(`accepts no token with a clock that ${how}`, async t => {
    const fatal = watchProcess(t)
    let works = true
    const settings = { dpop: 'allow', clock: () => (works ? Date.now() : clock()) } as const
    const { app, send } = await startApp(t, settings)
    const known = `Bearer ${signed()}`
    t.equal((await send(known)).statusCode, 200)
    works = false
    const client = makeProofKey()
    const tokens = [known, `Bearer ${signed({ jti: 'two' })}`, `Bearer ${signed({ exp: 1 })}`]
    for (const authorization of [...tokens, `Bearer ${signed({ iat: 9e9 })}`, `DPoP ${bound(client)}`]) {
      const { statusCode, body } = await send(authorization)
      t.equal(statusCode, 500)
      t.strictSame(JSON.parse(body), fault)
    }
    await t.rejects(app.oauth.verify(signed()), { code: 'OAUTH_GUARD_FAILED' })
    t.equal((await send(undefined)).statusCode, 401)
    t.equal((await send(undefined, '/public')).statusCode, 200)
    works = true
    t.equal((await send(known)).statusCode, 200, 'it works again')
    await settle()
    t.strictSame(fatal, [])
  })

t.test('accepts no token if a refinement of the claims schema throws', async t => {
  const given: { answer: () => unknown } = { answer: () => true }
  const claims = Type.Object({ tenant: Type.Refine(Type.String(), () => given.answer() as boolean) })
  const { send } = await startApp(t, { claims, maxCachedTokens: 0 })
  const status = async () => (await send(`Bearer ${signed({ tenant: 'a' })}`)).statusCode
  t.equal(await status(), 200)
  given.answer = () => false
  t.equal(await status(), 401)
  given.answer = () => undefined
  t.equal(await status(), 401)
  given.answer = faults['throws'] as () => unknown
  t.equal(await status(), 500)
  const asynchronous = Type.Object({ tenant: Type.Refine(Type.String(), (async () => false) as never) })
  const app = fastify()
  await t.rejects(async () => app.register(resourceServer, { ...registered, claims: asynchronous }), {
    code: 'OAUTH_INVALID_OPTION',
    message: /Type\.Refine was called with an async function/,
  })
})

const timeoutMs = 100

/** Credentials for introspection, and whether the result is of the right type. */
const credentials = {
  clientSecret: (fault: () => never) => ({ clientSecret: fault }),
  privateKey: (fault: () => never) => ({ privateKey: fault }),
} as const

for (const [name, optionWith] of Object.entries(credentials))
  for (const [how, give] of Object.entries(faults)) {
    if (name === 'clientSecret' && how === 'returns text') continue
    t.test(`answers 503 in time for introspection with a ${name} that ${how}`, async t => {
      const fatal = watchProcess(t)
      const opaque = await startOpaque(t)
      const logged: string[] = []
      const app = fastify({ logger: { stream: { write: (line: string) => void logged.push(line) } } })
      const introspection = { clientId: 'api', ...optionWith(give) } as never
      const options = { issuer: opaque.url, introspection, issuerTimeoutMs: timeoutMs }
      const { send } = await startApp(t, options, app)
      const startedAt = performance.now()
      const answers = await Promise.all([send('Bearer one'), send('Bearer two'), send('Bearer one')])
      t.ok(performance.now() - startedAt < timeoutMs + 1_000)
      for (const { statusCode, headers, body } of answers) {
        t.equal(statusCode, 503)
        t.equal(headers['retry-after'], '1')
        t.notMatch(body, /internal|vault|127\.0\.0\.1/)
      }
      t.match(logged.join(''), /"reason":"unavailable"/)
      t.equal(opaque.questions.length, 0, 'nothing was sent with a secret that is none')
      t.equal((await send(undefined, '/public')).statusCode, 200)
      await settle()
      t.strictSame(fatal, [])
    })
  }

// A promise that undici does not expect is of no use to anyone, and neither is its rejection.
const { rejects: _rejects, ...dispatchers } = brokenDispatchers
for (const [how, dispatch] of Object.entries(dispatchers))
  t.test(`treats an issuerDispatcher that ${how} as an outage, in time`, async t => {
    const fatal = watchProcess(t)
    const own = await startHandMadeIssuer(t, [key])
    const agent = new Agent()
    t.teardown(() => agent.close())
    let works = false
    let time = Date.now()
    const issuerDispatcher = agent.compose(
      next => (options, handler) => (works ? next : dispatch)(options, handler),
    )
    const introspection = { clientId: 'api', clientSecret: 'secret', endpoint: `${own.url}/introspect` }
    const settings = { issuerDispatcher, introspection, issuerTimeoutMs: timeoutMs, clock: () => time }
    const { keys: _, ...without } = registered
    const app = fastify()
    t.teardown(() => app.close())
    await app.register(resourceServer, { ...without, issuer: own.url, prefetch: 'lazy', ...settings })
    app.get('/read', async () => 'in')
    const send = (token: string) =>
      app.inject({ url: '/read', headers: { authorization: `Bearer ${token}` } })
    const startedAt = performance.now()
    const token = signed({ iss: own.url })
    const answers = await Promise.all([send(token), send('opaque'), send(token)])
    t.ok(performance.now() - startedAt < 2 * timeoutMs + 1_000)
    for (const { statusCode, body } of answers) {
      t.equal(statusCode, 503)
      t.notMatch(body, /internal|127\.0\.0\.1/)
    }
    works = true
    let status = 503
    // On a busy machine, the first request of a process may take longer than the time limit of this test.
    for (let attempt = 0; attempt < 5 && status === 503; attempt += 1) {
      time += 60_000
      status = (await send(token)).statusCode
    }
    t.equal(status, 200, 'it works again')
    await settle()
    t.strictSame(fatal, [])
  })

t.test('sends one response for an error after a wait', async t => {
  const fatal = watchProcess(t)
  const fail = faults['throws'] as () => never
  const claims = Type.Object({ tenant: Type.Refine(Type.String(), fail) })
  const { send } = await startApp(t, { claims })
  // The first signature of a key is confirmed by the second implementation, which is loaded for it.
  const answer = send(`Bearer ${signed({ tenant: 'a' })}`)
  const late = new Promise<undefined>(resolve => setTimeout(resolve, 2_000, undefined).unref())
  t.strictSame((await Promise.race([answer, late]))?.json(), fault)
  await settle()
  t.strictSame(fatal, [])
})

t.test('starts and answers with a logger that throws when the replay store fails', async t => {
  const fatal = watchProcess(t)
  const fail = faults['throws'] as () => never
  const logController = new LogController({ disableRequestLogging: true })
  const logger = loggerThat(() => (works ? undefined : fail()))
  let works = true
  const app = fastify({ loggerInstance: logger, logController })
  t.teardown(() => app.close())
  const dpop = { origin: 'https://api.example.com', replayStore: { add: fail } }
  await app.register(resourceServer, { ...registered, keys: [key.jwk], dpop })
  app.get('/read', async () => 'in')
  works = false
  await app.ready()
  const client = makeProofKey()
  const token = bound(client)
  const htu = 'https://api.example.com/read'
  const proof = makeProof(client, { htm: 'GET', htu, iat: seconds(), jti: 'one', ath: hashOf(token) })
  const headers = { authorization: `DPoP ${token}`, dpop: proof }
  t.equal((await app.inject({ url: '/read', headers })).statusCode, 503)
  await settle()
  t.strictSame(fatal, [])
})
