import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { EventEmitter, once } from 'node:events'
import fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import resourceServer, { type ResourceServerOptions } from 'fastify-resource-server'
import { Refusal } from '#src/errors.js'
import { createLookUpLimit, lookUpsAtOnce, lookUpsPerSecond } from '#src/issuers/look-up-limit.js'
import { createResolvedIssuers } from '#src/issuers/resolved-issuers.js'
import type { TrustedIssuer } from '#src/verify/candidate.js'
import { faults, settle, watchProcess } from 'test-support/faults'
import { makeKey, signRaw, startHandMadeIssuer, type SigningKey } from './hand-made-issuer.js'
import { audience, buildApp } from './protected-app.js'

/** What the function `issuers` does for one issuer. */
type Answer = () => unknown

interface Tenants {
  readonly app: FastifyInstance
  readonly answers: Map<string, Answer>
  /** The issuers that were looked up, in order. */
  readonly lookedUp: string[]
  readonly clock: { now: number }
  readonly logged: Record<string, unknown>[]
  token(issuer: unknown, changes?: Record<string, unknown>, key?: SigningKey): string
  status(token: string): Promise<number>
  call(token: string): Promise<{ statusCode: number; headers: Record<string, unknown>; body: string }>
  /** The last refusal in the log. */
  refusal(): Record<string, unknown> | undefined
}

const key = makeKey('tenant')
const first = 'https://first.example.com'
const second = 'https://second.example.com'

const trusted = (issuer: string, more: object = {}): Answer => {
  return async () => ({ issuer, audience, keys: [key.jwk], ...more })
}

async function startTenants(t: Test, options: Partial<ResourceServerOptions> = {}): Promise<Tenants> {
  const answers = new Map<string, Answer>()
  const lookedUp: string[] = []
  const clock = { now: 1_800_000_000_000 }
  const logged: Record<string, unknown>[] = []
  const stream = { write: (line: string) => void logged.push(JSON.parse(line) as Record<string, unknown>) }
  const app = fastify({ logger: { level: 'info', stream } })
  t.teardown(() => app.close())
  await app.register(resourceServer, {
    clock: () => clock.now,
    issuers: name => {
      lookedUp.push(name)
      // Whatever the test wants to be returned.
      return answers.get(name)?.() as never
    },
    ...options,
  })
  app.get('/', async ({ auth }) => auth)
  await app.ready()
  const token: Tenants['token'] = (issuer, changes = {}, by = key) => {
    const seconds = Math.floor(clock.now / 1000)
    const times = { iat: seconds, exp: seconds + 7_200 }
    const claims = { iss: issuer, aud: audience, sub: 'alice', client_id: 'shop', jti: 'one', ...times }
    return signRaw({ alg: by.algorithm, typ: 'at+jwt', kid: by.kid }, { ...claims, ...changes }, by)
  }
  const call: Tenants['call'] = async raw =>
    app.inject({ url: '/', headers: { authorization: `Bearer ${raw}` } })
  return {
    app,
    answers,
    lookedUp,
    clock,
    logged,
    token,
    call,
    status: async raw => (await call(raw)).statusCode,
    refusal: () => logged.findLast(line => line['msg'] === 'access refused'),
  }
}

t.test('looks up an issuer once for concurrent requests and caches it', async t => {
  const api = await startTenants(t)
  api.answers.set(first, trusted(first))
  api.answers.set(second, trusted(second, { audience: 'https://other.example.com' }))
  const tokens = [1, 2, 3, 4].map(number => api.token(first, { jti: `number ${number}` }))
  t.same(await Promise.all(tokens.map(token => api.status(token))), [200, 200, 200, 200])
  t.equal(await api.status(api.token(first, { jti: 'later' })), 200)
  t.same(api.lookedUp, [first])
  t.match(api.app.oauth.stats().issuers, [{ issuer: first, kids: ['tenant'], failures: 0 }])

  t.equal(await api.status(api.token(second)), 401, 'each issuer has its own rules')
  t.equal(api.refusal()?.['reason'], 'audience')
  t.equal(await api.status(api.token(first, {}, makeKey('tenant'))), 401, 'and keys')
  t.equal(api.refusal()?.['reason'], 'signature')
})

t.test('verifies tokens of a cached issuer synchronously', async t => {
  const api = await startTenants(t, { verifyInThreadPool: false })
  api.answers.set(first, trusted(first))
  t.equal(await api.status(api.token(first)), 200)
  for (const token of [api.token(first), api.token(first, { jti: 'new' })]) {
    let passed = false
    const request = { headers: { authorization: `Bearer ${token}` }, raw: undefined as unknown }
    request.raw = { headers: request.headers, rawHeaders: ['authorization', `Bearer ${token}`] }
    const guard = api.app.oauth.authenticate()
    guard.call(api.app, request as never, {} as never, error => {
      passed = error === undefined
    })
    t.ok(passed)
  }
})

t.test('discovers the keys of a looked-up issuer', async t => {
  const [one, two] = [makeKey('same kid'), makeKey('same kid')]
  const [issuer, other] = [await startHandMadeIssuer(t, [one]), await startHandMadeIssuer(t, [two])]
  const api = await startTenants(t)
  for (const { url } of [issuer, other]) api.answers.set(url, () => ({ issuer: url, audience }))
  t.equal(await api.status(api.token(issuer.url, {}, one)), 200, 'a function that is not async')
  t.equal(await api.status(api.token(other.url, {}, two)), 200)
  t.equal(await api.status(api.token(other.url, { jti: 'two' }, one)), 401, 'the key of another tenant')
  t.same([issuer, other].flatMap(({ asked }) => asked).filter(path => path === '/jwks').length, 2)
})

t.test('refuses an untrusted issuer without a request, and does not look it up again soon', async t => {
  const issuer = await startHandMadeIssuer(t, [key])
  const api = await startTenants(t)
  for (const jti of ['one', 'two']) t.equal(await api.status(api.token(issuer.url, { jti })), 401)
  t.match(api.refusal(), { reason: 'issuer', detail: 'the function `issuers` does not trust this issuer' })
  t.same(api.lookedUp, [issuer.url])
  t.same(issuer.asked, [])
  t.same(api.app.oauth.stats().issuers, [])

  api.answers.set(issuer.url, () => ({ issuer: issuer.url, audience }))
  api.clock.now += 30_000
  t.equal(await api.status(api.token(issuer.url)), 200, 'a tenant that was added')
})

t.test('looks up short https URLs only', async t => {
  const api = await startTenants(t)
  const names = [
    undefined,
    null,
    7,
    [first],
    '',
    'first',
    'http://first.example.com',
    'https://user:password@first.example.com',
    `${first}?tenant=1`,
    `${first}#1`,
    `${first}/a b`,
    `${first}/{tenantid}`,
    `${first}/${'a'.repeat(512)}`,
    'file:///etc/passwd',
    'https://tenant.example\\@evil.example',
    'https://first.example.com\\tenant',
    'https:first.example.com',
    'https:/first.example.com',
    'HTTPS://first.example.com',
    'https://FIRST.example.com',
    'https://@first.example.com',
    'https://:@first.example.com',
    'https://first.example.com:443',
    'https://first.example.com/a/../b',
    'https://first.example.com/%2e%2e/b',
    'https://0x7f.1',
    `${first}/\0`,
    `\0${first}`,
    `${first}/\x1B[31m`,
    `${first}\x7F`,
    'https://fi\u00ADrst.example.com',
    'https://fırst.example.com',
    `${first}/é`,
  ]
  for (const name of names) {
    t.equal(await api.status(api.token(name)), 401, String(name))
    t.equal(api.refusal()?.['reason'], 'issuer')
  }
  t.same(api.lookedUp, [])
  await api.status(api.token(`${first}/${'a'.repeat(512 - first.length - 1)}`))
  t.equal(api.lookedUp[0]?.length, 512)
  const good = [
    first,
    `${first}/`,
    `${first}:8443/a/b%20c/@d|e/`,
    'https://xn--frst-1wa.example',
    'http://localhost:1',
  ]
  for (const name of good) await api.status(api.token(name))
  t.same(api.lookedUp.slice(1), good)
})

t.test('treats null as an untrusted issuer', async t => {
  const api = await startTenants(t)
  api.answers.set(first, async () => null)
  t.equal(await api.status(api.token(first)), 401)
  t.match(api.refusal(), { reason: 'issuer', detail: 'the function `issuers` does not trust this issuer' })
  t.notOk(api.logged.some(({ level }) => level === 50 || level === 40))
})

t.test('requires the audience of `api` in looked-up options', async t => {
  const offered = { audience, scopes: {}, requireRoutes: async () => {} }
  const other = { audience: 'https://other.example.com' }
  const api = await startTenants(t, { api: offered })
  api.answers.set(first, trusted(first, other))
  api.answers.set(second, trusted(second, { audience: [audience, other.audience] }))
  t.equal(await api.status(api.token(first, { aud: other.audience })), 503)
  t.match(
    api.logged.find(line => line['msg'] === 'the options of an issuer are invalid'),
    {
      reason:
        /option `issuers\(\)\.audience` is \["https:\/\/other.*which does not contain the audience of `api`; add/,
    },
  )
  t.equal(await api.status(api.token(second)), 200)

  const app = buildApp(t)
  const issuers = [{ issuer: first, keys: [key.jwk], ...other }]
  await t.rejects(async () => app.register(resourceServer, { issuers, api: offered }), {
    message:
      /option `issuers\[0\]\.audience` is \["https:\/\/other.*which does not contain the audience of `api`; add/,
  })
})

t.test('refuses the options of another issuer', async t => {
  const api = await startTenants(t)
  const name = `${first}/TENANT`
  api.answers.set(name, trusted(`${first}/tenant`))
  t.equal(await api.status(api.token(name)), 401, 'a database that ignores case')
  t.match(api.refusal(), {
    reason: 'issuer',
    detail: `the function \`issuers\` returned the options of another issuer: ${first}/tenant`,
  })
  t.equal(await api.status(api.token(first)), 401)
})

const wrongAnswers: [string, unknown, RegExp][] = [
  ['text', first, /returned text; expected/],
  ['true', true, /returned a boolean; expected/],
  ['a list', [{ issuer: first, audience }], /returned an array; expected|returned a list; expected/],
  ['an empty object', {}, /option `issuers\(\)\.issuer` is missing/],
  ['no audience', { issuer: first }, /option `issuers\(\)\.audience` is missing/],
  [
    'a misspelt option',
    { issuer: first, audience, profil: 'entra' },
    /no option `issuers\(\)\.profil`.*`profile`/,
  ],
  [
    'symmetric algorithms',
    { issuer: first, audience, algorithms: ['HS256'] },
    /`issuers\(\)\.algorithms\[0\]`/,
  ],
  ['keys that are none', { issuer: first, audience, keys: [{ kty: 'oct', k: 'AA' }] }, /contains no key for/],
  [
    'keys and jwksUri',
    { issuer: first, audience, keys: [key.jwk], jwksUri: `${first}/jwks` },
    /`issuers\(\)\.jwksUri` has no effect/,
  ],
  [
    'introspection',
    { issuer: first, audience, introspection: { clientId: 'a', clientSecret: 'secret-text' } },
    /`issuers\(\)\.introspection` has no effect/,
  ],
]
for (const [what, answer, message] of wrongAnswers)
  t.test(`treats invalid options as an outage of that issuer only: ${what}`, async t => {
    const api = await startTenants(t)
    api.answers.set(first, async () => answer)
    api.answers.set(second, trusted(second))
    const { statusCode, headers, body } = await api.call(api.token(first))
    t.equal(statusCode, 503)
    t.equal(headers['retry-after'], '1')
    t.notMatch(body, /issuers/)
    t.match(
      api.logged.find(line => line['msg'] === 'the options of an issuer are invalid'),
      { level: 50, issuer: first, reason: message },
    )
    t.notMatch(JSON.stringify(api.logged), /secret-text/)
    t.equal(await api.status(api.token(second)), 200)
    t.equal(await api.status(api.token(first)), 503)
    t.same(api.lookedUp, [first, second], 'not asked again at once')

    api.answers.set(first, trusted(first))
    api.clock.now += 1_000
    t.equal(await api.status(api.token(first)), 200, 'it ends when the options are right')
  })

const fail = (): never => {
  throw new Error('secret-text')
}

t.test('treats options whose getters throw as invalid', async t => {
  const answers = [
    Object.defineProperty({ issuer: first }, 'audience', { enumerable: true, get: fail }),
    new Proxy({}, { getPrototypeOf: fail }),
    new Proxy({}, { ownKeys: fail }),
  ]
  for (const answer of answers) {
    const api = await startTenants(t)
    api.answers.set(first, () => answer)
    t.equal(await api.status(api.token(first)), 503)
    t.match(
      api.logged.find(line => line['msg'] === 'the options of an issuer are invalid'),
      { level: 50, reason: /cannot be read/ },
    )
    t.notMatch(JSON.stringify(api.logged), /secret-text/)
  }
})

t.test('limits log lines for invented issuers, and logs failures of known issuers', async t => {
  const api = await startTenants(t)
  const lines = (): Record<string, unknown>[] =>
    api.logged.filter(line => line['msg'] === 'the issuer lookup failed')
  api.answers.set(first, trusted(first))
  const known = api.token(first)
  t.equal(await api.status(known), 200)
  const invent = async (from: number): Promise<void> => {
    for (let index = from; index < from + 30; index += 1) {
      const name = `https://invented-${index}.example.com`
      api.answers.set(name, faults['throws'] as Answer)
      t.equal(await api.status(api.token(name)), 503)
    }
  }
  await invent(0)
  t.equal(lines().length, 10)
  api.answers.set(first, faults['rejects'] as Answer)
  api.clock.now += 300_000 - 1
  await api.status(known)
  await settle()
  t.match(lines().slice(10), [{ issuer: first, omittedLines: 20 }], 'a known issuer has its line')
  await invent(30)
  t.equal(lines().length, 21, 'the next minute')
})

for (const [how, fault] of Object.entries(faults)) {
  if (['returns undefined', 'returns null'].includes(how)) continue // the issuer is not trusted
  t.test(`responds with 503 in time if the function ${how}, without affecting other issuers`, async t => {
    const fatal = watchProcess(t)
    const api = await startTenants(t, { issuerTimeoutMs: 40 })
    api.answers.set(first, fault)
    api.answers.set(second, trusted(second))
    const startedAt = performance.now()
    const answers = await Promise.all([
      api.call(api.token(first)),
      api.call(api.token(first, { jti: 'two' })),
      api.call(api.token(second)),
    ])
    t.ok(performance.now() - startedAt < 1_040)
    t.same(
      answers.map(({ statusCode }) => statusCode),
      [503, 503, 200],
    )
    t.notMatch(answers[0]?.body, /vault|issuers/)
    t.same(api.lookedUp.filter(name => name === first).length, 1, 'one look-up for both requests')
    t.match(api.refusal(), { reason: 'unavailable', detail: 'the issuer could not be looked up' })
    t.ok(api.logged.some(line => line['issuer'] === first && line['retryAfterMs'] === 1_000))
    await settle()
    t.strictSame(fatal, [])
  })
}

t.test('ignores a thenable that settles twice or too late', async t => {
  const fatal = watchProcess(t)
  const api = await startTenants(t, { issuerTimeoutMs: 40 })
  const options = { issuer: first, audience, keys: [key.jwk] }
  api.answers.set(first, () => ({
    // oxlint-disable-next-line no-thenable -- what is tested
    then(resolve: (value: unknown) => void, reject: (error: unknown) => void) {
      resolve(options)
      resolve(undefined)
      reject(new Error('too late'))
    },
  }))
  t.equal(await api.status(api.token(first)), 200)
  const late = new EventEmitter()
  api.answers.set(
    second,
    () => new Promise((_, reject) => late.once('end', () => reject(new Error('too late')))),
  )
  t.equal(await api.status(api.token(second)), 503)
  late.emit('end')
  await settle()
  t.equal(await api.status(api.token(second)), 503, 'still in the back-off')
  t.strictSame(fatal, [])
})

t.test('retries failures after 1 s, then 2, 4 … up to 60 s', async t => {
  const api = await startTenants(t)
  api.answers.set(first, faults['throws'] as Answer)
  const waits: number[] = []
  for (let round = 0; round < 8; round += 1) {
    const { headers } = await api.call(api.token(first))
    const waitMs = Number(headers['retry-after']) * 1_000
    waits.push(waitMs)
    api.clock.now += waitMs - 1
    t.equal(await api.status(api.token(first)), 503)
    t.equal(api.lookedUp.length, round + 1)
    api.clock.now += 1
  }
  t.same(waits, [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000])
})

t.test('renews an issuer in the background, and uses it for a limited time if that fails', async t => {
  const api = await startTenants(t, { jwksMaxAgeMs: 100_000, jwksStaleIfErrorMs: 200_000 })
  api.answers.set(first, trusted(first))
  const token = api.token(first)
  t.equal(await api.status(token), 200)
  api.clock.now += 79_999
  t.equal(await api.status(token), 200)
  t.equal(api.lookedUp.length, 1)
  api.clock.now += 1
  t.equal(await api.status(token), 200)
  t.equal(api.lookedUp.length, 2, 'a cached token renews it as well')
  await settle()

  api.answers.set(first, faults['rejects'] as Answer)
  api.clock.now += 100_000
  t.equal(await api.status(token), 200, 'too old: it is waited for, and fails')
  t.equal(api.lookedUp.length, 3)
  t.match(
    api.logged.find(line => line['msg'] === 'the issuer lookup failed'),
    { level: 40, issuer: first, servingStale: true, retryAfterMs: 1_000 },
  )
  t.equal(await api.status(api.token(first, { jti: 'new' })), 200)
  t.equal(api.lookedUp.length, 3, 'not asked during the back-off')
  api.clock.now += 199_999
  t.equal(await api.status(token), 200)
  await settle()
  api.clock.now += 1
  t.equal(await api.status(token), 503, 'the end of jwksStaleIfErrorMs')
  t.same(api.app.oauth.stats().issuers, [])

  api.answers.set(first, trusted(first))
  api.clock.now += 60_000
  t.equal(await api.status(token), 200)
})

t.test('refuses a removed issuer within jwksMaxAgeMs, also for cached tokens', async t => {
  const api = await startTenants(t)
  api.answers.set(first, trusted(first))
  const token = api.token(first)
  t.equal(await api.status(token), 200)
  api.answers.delete(first)
  api.clock.now += 239_999
  t.equal(await api.status(token), 200)
  api.clock.now += 1
  t.equal(await api.status(token), 200, 'this one asks')
  await settle()
  t.equal(await api.status(token), 401)
  t.match(api.refusal(), { reason: 'issuer' })
  t.ok(
    api.logged.some(
      line => line['msg'] === 'the issuer is no longer trusted; its tokens are refused from now on',
    ),
  )
  t.equal(await api.status(api.token(first, { jti: 'new' })), 401)
  t.equal(api.lookedUp.length, 2)

  const quiet = await startTenants(t)
  quiet.answers.set(first, trusted(first))
  t.equal(await quiet.status(token), 200)
  quiet.answers.delete(first)
  quiet.clock.now += 300_000
  t.equal(await quiet.status(token), 401, 'at that age, requests wait for the answer')
})

t.test('applies changed options to cached tokens, and keeps the keys of unchanged ones', async t => {
  const issuer = await startHandMadeIssuer(t, [key])
  const api = await startTenants(t)
  const options = { issuer: issuer.url, audience }
  api.answers.set(issuer.url, () => ({ ...options }))
  const token = api.token(issuer.url)
  t.equal(await api.status(token), 200)
  const requests = (): number => issuer.asked.filter(path => path === '/jwks').length
  api.clock.now += 240_000
  t.equal(await api.status(token), 200)
  await settle()
  t.equal(await api.status(token), 200)
  await settle()
  t.equal(api.lookedUp.length, 2)
  const before = requests()

  api.answers.set(issuer.url, () => ({ ...options, audience: 'https://other.example.com' }))
  api.clock.now += 240_000
  await api.status(token)
  await settle()
  t.equal(await api.status(token), 401)
  t.equal(api.refusal()?.['reason'], 'audience')
  t.ok(requests() <= before + 1, 'no keys for tokens that are refused')
})

t.test('does not extend any period after the clock was set back', async t => {
  const api = await startTenants(t)
  api.answers.set(first, trusted(first))
  const token = api.token(first)
  t.equal(await api.status(token), 200)
  api.answers.delete(first)
  api.clock.now -= 1
  t.equal(await api.status(token), 401)
})

t.test('limits lookups of invented issuers without delaying known issuers', async t => {
  const api = await startTenants(t)
  api.answers.set(first, trusted(first))
  const known = api.token(first)
  t.equal(await api.status(known), 200)
  const gate = new EventEmitter()
  const opened = once(gate, 'open').then(() => undefined)
  const invented = Array.from({ length: 50 }, (_, index) => `https://invented-${index}.example.com`)
  for (const name of invented) api.answers.set(name, async () => opened)
  const answers = invented.map(name => api.call(api.token(name)))
  const early = await Promise.all(answers.slice(lookUpsAtOnce))
  t.same(new Set(early.map(({ statusCode }) => statusCode)), new Set([503]))
  t.equal(early[0]?.headers['retry-after'], '1')
  t.equal(api.lookedUp.length, 1 + lookUpsAtOnce)
  t.equal(await api.status(known), 200)
  t.equal(await api.status(api.token(first, { jti: 'new' })), 200)
  api.clock.now += 300_000
  t.equal(await api.status(known), 200, 'nor does its renewal')
  gate.emit('open')
  t.same(
    new Set((await Promise.all(answers.slice(0, lookUpsAtOnce))).map(({ statusCode }) => statusCode)),
    new Set([401]),
  )
  t.equal(await api.status(api.token('https://invented-49.example.com')), 401)
})

t.test('limits the lookups in one second, whatever their speed and the clock', t => {
  const limit = createLookUpLimit()
  const take = (time: number): boolean => {
    const taken = limit.take(time)
    if (taken) limit.release()
    return taken
  }
  const times = (time: number): number => {
    let count = 0
    while (take(time)) count += 1
    return count
  }
  t.equal(times(0), lookUpsPerSecond)
  t.equal(times(100), lookUpsPerSecond / 10, 'they come back evenly')
  t.equal(times(0), 0, 'the clock was set back')
  t.equal(times(10), 1)
  t.equal(times(3_600_000), lookUpsPerSecond)
  t.end()
})

/** Resolved issuers without applications and keys: every issuer is trusted, and every signature verifies. */
function startResolved() {
  const lookedUp: string[] = []
  const clock = { now: 1_800_000_000_000 }
  const keys = { reuse: () => true }
  const resolved = createResolvedIssuers({
    resolve: async issuer => {
      lookedUp.push(issuer)
      return { rules: { issuer } } as never
    },
    trust: ({ rules }) => ({ rules, keys, verifySignature: () => undefined }) as never,
    timeoutMs: 1_000,
    times: { maxAgeMs: 300_000, keepMs: 3_900_000, cooldownMs: 30_000 },
    allowInsecureHttp: false,
    now: () => clock.now,
    onEvent() {},
  })
  const choose = async (issuer: string): Promise<TrustedIssuer> => {
    clock.now += 10 // one more look-up is allowed by then
    const chosen = await resolved.choose({ iss: issuer }, 'verify')
    if (chosen instanceof Refusal) throw new Error(chosen.detail)
    return chosen
  }
  const reuse = (issuer: TrustedIssuer): boolean => issuer.keys.reuse({} as never, clock.now)
  return { resolved, lookedUp, choose, reuse }
}

/** A token of the issuer verifies. */
const prove = (issuer: TrustedIssuer): unknown => issuer.verifySignature({} as never, {} as never, 'ES256')

const tenants = Array.from({ length: 1_001 }, (_, index) => `https://tenant-${index}.example.com`)

t.test('keeps used issuers cached despite tokens without a valid signature', async t => {
  const { resolved, lookedUp, choose, reuse } = startResolved()
  const used = await choose(first)
  prove(used)
  for (const tenant of tenants) await choose(tenant)
  t.equal(resolved.list().length, 1_001, 'and there is a bound')
  t.ok(reuse(used), 'its cached tokens')
  t.equal(await choose(first), used)
  t.equal(lookedUp.length, 1_002)
})

t.test('discards the least recently used issuer and verifies its cached tokens again', async t => {
  const { resolved, lookedUp, choose, reuse } = startResolved()
  const issuers: TrustedIssuer[] = []
  for (const tenant of tenants.slice(0, 1_000)) {
    const issuer = await choose(tenant)
    issuers.push(issuer)
    prove(issuer)
  }
  const [oldest, next] = issuers
  if (oldest === undefined || next === undefined) throw new Error('there is none')
  t.ok(reuse(oldest), 'a cached token is a use')
  prove(await choose(tenants[1_000] ?? ''))
  t.equal(resolved.list().length, 1_000)
  t.ok(reuse(oldest))
  t.notOk(reuse(next))
  t.equal(lookedUp.length, 1_001)
  t.not(await choose(tenants[1] ?? ''), next, 'looked up again')
  prove(next)
  t.ok(reuse(next), 'a verification that was running when its issuer was dropped')
})

t.test('revokes tokens of a looked-up issuer, whether it is cached or not', async t => {
  const api = await startTenants(t, { revocation: true })
  for (const name of [first, second]) api.answers.set(name, trusted(name))
  t.equal(await api.status(api.token(first)), 200)
  const until = api.clock.now + 60_000
  for (const issuer of [first, second]) await api.app.oauth.revoke({ subject: 'alice' }, { until, issuer })
  t.equal(await api.status(api.token(first)), 401)
  t.equal(await api.status(api.token(second)), 401)
  t.equal(api.refusal()?.['reason'], 'revoked')
  t.equal(await api.status(api.token(second, { sub: 'bob' })), 200)
  await t.rejects(api.app.oauth.revoke({ subject: 'alice' }, { until }), /issuer/)
  for (const issuer of ['alice', `${first}?tenant=1`, first.toUpperCase(), `${first}\u0000`])
    await t.rejects(
      api.app.oauth.revoke({ subject: 'alice' }, { until, issuer }),
      /which is not a trusted issuer/,
      issuer,
    )
})

t.test('events', async t => {
  const events: Record<string, unknown>[] = []
  const listeners = ['issuer', 'issuer-failed'].map(name => {
    const listener = (message: unknown): void => void events.push({ name, ...(message as object) })
    subscribe(`fastify-resource-server:${name}`, listener)
    return () => unsubscribe(`fastify-resource-server:${name}`, listener)
  })
  t.teardown(() => listeners.forEach(stop => stop()))
  const api = await startTenants(t)
  api.answers.set(first, trusted(first))
  api.answers.set(second, faults['throws undefined'] as Answer)
  for (const name of [first, second, 'https://third.example.com']) await api.status(api.token(name))
  t.match(events, [
    { name: 'issuer', issuer: first, trusted: true, durationMs: Number },
    {
      name: 'issuer-failed',
      issuer: second,
      message: 'no reason was given',
      servingStale: false,
      retryAfterMs: 1_000,
    },
    { name: 'issuer', issuer: 'https://third.example.com', trusted: false },
  ])
})

const issuers = (): undefined => undefined

t.test('accepts or rejects other options together with a function as `issuers`', async t => {
  const wrong: [Partial<ResourceServerOptions>, RegExp][] = [
    [{ issuers, prefetch: 'required' }, /option `prefetch` is "required", but no issuer is known at startup/],
    [{ issuers, issuer: first }, /`issuer` cannot be combined with `issuers`/],
    [{ issuers, audience }, /`audience` cannot be combined with `issuers`/],
    [
      { issuers, resourceMetadata: true },
      /`resourceMetadata\.resource` is missing.*because no audience is known at startup if the option issuers is a function/,
    ],
    [{ issuers: 'https://login.example.com' as never }, /or a function that looks up an issuer/],
  ]
  for (const [options, message] of wrong) {
    const app = buildApp(t)
    app.register(resourceServer, options)
    await t.rejects(async () => app.ready(), { message }, String(message))
  }
  const app = buildApp(t)
  app.register(resourceServer, { issuers, resourceMetadata: { resource: audience }, prefetch: 'lazy' })
  app.get('/', async () => 'in')
  const document = (await app.inject('/.well-known/oauth-protected-resource')).json<object>()
  t.match(document, { resource: audience })
  t.notOk('authorization_servers' in document, 'they cannot be enumerated (RFC 9728 §2)')
})
