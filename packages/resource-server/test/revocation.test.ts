import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import t, { type Test } from 'tap'
import resourceServer, {
  createVerifier,
  type ResourceServerOptions,
  type RevocationTarget,
  type RevocationTerms,
} from 'fastify-resource-server'
import { createRevocationList } from '#src/revocation/revocation-list.js'
import { makeKey, signRaw } from './hand-made-issuer.js'
import { active, startOpaque } from './opaque-issuer.js'
import { audience, buildApp, registered, startBench, type Bench } from './protected-app.js'

const hour = 3_600_000

const start = (t: Test, options: Partial<ResourceServerOptions> = {}): Promise<Bench> =>
  startBench(t, { revocation: true, ...options })

const status = async (bench: Bench, token: string): Promise<number> => (await bench.call(token)).statusCode

/** What names the token of the bench, and a token that it does not name. */
const targets: readonly [target: RevocationTarget, other: Record<string, unknown>][] = [
  [{ jti: 'one' }, { jti: 'two' }],
  [{ clientId: 'payment' }, { client_id: 'shop' }],
  [{ subject: 'payment' }, { sub: 'shop' }],
]

for (const [target, other] of targets) {
  const [by = ''] = Object.keys(target)
  t.test(`refuses a token by its ${by}, cached or not, and no other one`, async t => {
    const bench = await start(t)
    const [cached, fresh, others] = [bench.token(), bench.token({ scope: 'read write' }), bench.token(other)]
    t.equal(await status(bench, cached), 200)
    await bench.app.oauth.revoke(target, { until: bench.clock.now + hour })
    for (const token of [cached, fresh]) {
      const { statusCode, headers, body } = await bench.call(token)
      t.equal(statusCode, 401)
      t.match(headers['www-authenticate'], /^Bearer error="invalid_token"/)
      t.notMatch(body + String(headers['www-authenticate']), /revoke/i, 'an attacker does not learn why')
      t.equal(bench.lastReason(), 'revoked')
    }
    t.match(
      bench.logged.findLast(line => line['reason'] === 'revoked'),
      {
        detail: `the token was revoked: its ${by} is on the revocation list until ${new Date(bench.clock.now + hour).toISOString()}`,
        issuer: bench.issuer.url,
        kid: 'first',
      },
    )
    t.equal(await status(bench, others), 200)
    t.match(bench.app.oauth.stats(), { refused: { revoked: 2 }, revocations: { active: 1, isCurrent: true } })
  })
}

t.test('refuses every token signed with a revoked key, also without kid', async t => {
  const bench = await start(t)
  const second = makeKey('second')
  bench.issuer.keys = [...bench.issuer.keys, second.jwk]
  const [first, others] = [bench.token(), bench.token({}, {}, second)]
  t.equal(await status(bench, first), 200)
  t.equal(await status(bench, others), 200)
  await bench.app.oauth.revoke({ keyId: 'first' }, { until: bench.clock.now + hour })
  t.equal(await status(bench, first), 401)
  t.equal(await status(bench, bench.token({ jti: 'two' })), 401)
  t.equal(await status(bench, others), 200)

  const app = buildApp(t)
  const key = makeKey('only')
  await app.register(resourceServer, { ...registered, keys: [key.jwk], revocation: true })
  app.get('/', async () => 'in')
  const seconds = Math.floor(Date.now() / 1000)
  const claims = { ...bench.claims({ iss: registered.issuer }), iat: seconds, exp: seconds + 300 }
  const token = signRaw({ alg: 'ES256', typ: 'at+jwt' }, claims, key)
  const call = () => app.inject({ url: '/', headers: { authorization: `Bearer ${token}` } })
  t.equal((await call()).statusCode, 200)
  await app.oauth.revoke({ keyId: 'only' }, { until: Date.now() + hour })
  t.equal((await call()).statusCode, 401)
})

t.test('works without a cache of tokens', async t => {
  const bench = await start(t, { maxCachedTokens: 0 })
  t.equal(await status(bench, bench.token()), 200)
  await bench.app.oauth.revoke({ keyId: 'first' }, { until: bench.clock.now + hour })
  t.equal(await status(bench, bench.token()), 401)
})

t.test('accepts unexpired tokens again after the revocation has ended', async t => {
  const bench = await start(t)
  const token = bench.token()
  await bench.app.oauth.revoke({ clientId: 'payment' }, { until: bench.clock.now + 1_000 })
  t.equal(await status(bench, token), 401)
  bench.clock.now += 999
  t.equal(await status(bench, token), 401)
  bench.clock.now += 1
  t.equal(await status(bench, token), 200)
  t.equal(bench.app.oauth.stats().revocations?.active, 0)
  bench.clock.now -= 1
  t.equal(await status(bench, token), 401, 'the clock was set back')
})

t.test('accepts tokens issued after issuedBefore', async t => {
  const bench = await start(t)
  const seconds = Math.floor(bench.clock.now / 1000)
  await bench.app.oauth.revoke(
    { clientId: 'payment' },
    { until: bench.clock.now + hour, issuedBefore: bench.clock.now },
  )
  bench.clock.now += 60_000
  const at = (iat: number) => status(bench, bench.token({ iat, jti: String(iat) }))
  t.equal(await at(seconds - 60), 401)
  t.equal(await at(seconds), 401)
  t.equal(await at(seconds + 5), 401, 'the clock of the issuer may be ahead by clockToleranceMs')
  t.equal(await at(seconds + 6), 200)
})

t.test('refuses tokens without iat if issuedBefore is set', async t => {
  const bench = await start(t, { profile: 'generic' })
  const token = bench.token({ iat: undefined }, { typ: 'JWT' })
  t.equal(await status(bench, token), 200)
  const now = bench.clock.now
  await bench.app.oauth.revoke({ subject: 'payment' }, { until: now + hour, issuedBefore: now })
  t.equal(await status(bench, token), 401)
})

t.test('replaces a revocation with the same target, and undoes it', async t => {
  const bench = await start(t)
  const token = bench.token()
  const until = bench.clock.now + hour
  await bench.app.oauth.revoke({ clientId: 'payment' }, { until })
  await bench.app.oauth.revoke({ clientId: 'payment' }, { until, issuedBefore: bench.clock.now - 86_400_000 })
  t.equal(await status(bench, token), 200)
  await bench.app.oauth.revoke({ clientId: 'payment' }, { until })
  t.equal(await status(bench, token), 401)
  t.equal(await bench.app.oauth.unrevoke({ clientId: 'shop' }), false)
  t.equal(await bench.app.oauth.unrevoke({ subject: 'payment' }), false)
  t.equal(await bench.app.oauth.unrevoke({ clientId: 'payment' }), true)
  t.equal(await status(bench, token), 200)
  t.equal(await bench.app.oauth.unrevoke({ clientId: 'payment' }), false)
  t.equal(bench.app.oauth.stats().revocations?.active, 0)
})

t.test('refuses revoked tokens in oauth.verify and after introspection', async t => {
  const opaque = await startOpaque(t)
  const app = buildApp(t)
  const introspection = { clientId: 'api', clientSecret: 'secret' }
  opaque.answers.set('opaque', active(opaque))
  const clock = () => opaque.clock.now
  await app.register(resourceServer, { issuer: opaque.url, audience, introspection, revocation: true, clock })
  app.get('/', async () => 'in')
  const call = async () =>
    (await app.inject({ url: '/', headers: { authorization: 'Bearer opaque' } })).statusCode
  t.equal(await call(), 200)
  const { clientId, subject } = await app.oauth.verify('opaque')
  for (const target of [{ clientId: clientId ?? '' }, { subject: subject ?? '' }]) {
    await app.oauth.revoke(target, { until: clock() + hour })
    t.equal(await call(), 401)
    await t.rejects(app.oauth.verify('opaque'), { code: 'OAUTH_INVALID_TOKEN', reason: 'revoked' })
    await app.oauth.unrevoke(target)
    t.equal(await call(), 200)
  }
})

t.test('checks revocations before scopes, and only for verified tokens', async t => {
  const bench = await start(t)
  await bench.app.oauth.revoke({ clientId: 'payment' }, { until: bench.clock.now + hour })
  t.equal((await bench.call(bench.token(), '/write')).statusCode, 401)
  t.equal(bench.lastReason(), 'revoked')
  await bench.call(bench.token({ exp: 1 }))
  t.equal(bench.lastReason(), 'expired')
  await bench.call(bench.token().slice(0, -8) + 'AAAAAAAA')
  t.equal(bench.lastReason(), 'signature')
  t.equal((await bench.send(undefined, '/public')).statusCode, 200)
})

t.test('revokes tokens of one issuer only', async t => {
  const [here, there] = [makeKey('first'), makeKey('first')]
  const app = buildApp(t)
  const issuers = [
    { issuer: 'https://one.example.com', audience, keys: [here.jwk] },
    { issuer: 'https://two.example.com', audience, keys: [there.jwk] },
  ]
  await app.register(resourceServer, { issuers, revocation: true })
  app.get('/', async () => 'in')
  const seconds = Math.floor(Date.now() / 1000)
  const call = async (iss: string, key: typeof here) => {
    const claims = {
      iss,
      aud: audience,
      sub: 'a',
      client_id: 'b',
      iat: seconds,
      exp: seconds + 300,
      jti: 'c',
    }
    const token = signRaw({ alg: 'ES256', typ: 'at+jwt', kid: 'first' }, claims, key)
    return (await app.inject({ url: '/', headers: { authorization: `Bearer ${token}` } })).statusCode
  }
  const targets = [{ jti: 'c' }, { clientId: 'b' }, { subject: 'a' }, { keyId: 'first' }] as const
  for (const target of targets) {
    const until = Date.now() + hour
    await t.rejects(app.oauth.revoke(target, { until }), {
      code: 'OAUTH_INVALID_REVOCATION',
      message: /`issuer` is missing; with several issuers/,
    })
    await app.oauth.revoke(target, { until, issuer: 'https://one.example.com' })
    t.equal(await call('https://one.example.com', here), 401)
    t.equal(await call('https://two.example.com', there), 200)
    await t.rejects(app.oauth.unrevoke(target), { code: 'OAUTH_INVALID_REVOCATION' })
    t.equal(await app.oauth.unrevoke(target, { issuer: 'https://two.example.com' }), false)
    t.equal(await app.oauth.unrevoke(target, { issuer: 'https://one.example.com' }), true)
  }
})

t.test('requires the issuer of the tenant if the issuer is a template', async t => {
  const key = makeKey('first')
  const app = buildApp(t)
  const issuer = 'https://login.example.com/{tenantid}/v2.0'
  const profile = 'generic'
  await app.register(resourceServer, { issuer, audience, profile, keys: [key.jwk], revocation: true })
  app.get('/', async () => 'in')
  const call = async (tid: string) => {
    const iss = `https://login.example.com/${tid}/v2.0`
    const claims = { iss, tid, aud: audience, sub: 'a', exp: Math.floor(Date.now() / 1000) + 300 }
    const token = signRaw({ alg: 'ES256', typ: 'JWT', kid: 'first' }, claims, key)
    return (await app.inject({ url: '/', headers: { authorization: `Bearer ${token}` } })).statusCode
  }
  const until = Date.now() + hour
  for (const wrong of [
    undefined,
    issuer,
    'https://login.example.com/a/b/v2.0',
    'https://login.example.com//v2.0',
  ])
    await t.rejects(
      app.oauth.revoke({ subject: 'a' }, { until, ...(wrong === undefined ? {} : { issuer: wrong }) }),
      { code: 'OAUTH_INVALID_REVOCATION' },
      String(wrong),
    )
  await app.oauth.revoke({ subject: 'a' }, { until, issuer: 'https://login.example.com/mine/v2.0' })
  t.equal(await call('mine'), 401)
  t.equal(await call('theirs'), 200)
})

t.test('rejects a revocation beyond maxEntries and keeps all others', async t => {
  const bench = await start(t, { revocation: { maxEntries: 2 } })
  const { oauth } = bench.app
  const until = bench.clock.now + hour
  await oauth.revoke({ jti: 'one' }, { until })
  await oauth.revoke({ jti: 'two' }, { until: until - 1 })
  await oauth.revoke({ jti: 'two' }, { until: until - 2 })
  const full = {
    code: 'OAUTH_REVOCATION_FAILED',
    isInEffectHere: false,
    message: /2 active revocations.*maxEntries/,
  }
  await t.rejects(oauth.revoke({ jti: 'three' }, { until }), full)
  await t.rejects(oauth.revoke({ clientId: 'payment' }, { until }), full)
  t.equal(await status(bench, bench.token({ jti: 'one' })), 401)
  t.equal(await status(bench, bench.token({ jti: 'two' })), 401)
  t.equal(await status(bench, bench.token({ jti: 'three' })), 200)
  bench.clock.now = until - 2
  await oauth.revoke({ jti: 'three' }, { until })
  t.equal(await status(bench, bench.token({ jti: 'one' })), 401, 'one that has not ended stays')
  t.equal(await status(bench, bench.token({ jti: 'three' })), 401)
  t.equal(oauth.stats().revocations?.active, 2)
})

const now = 1_800_000_000_000
const wrong: readonly [given: readonly unknown[], message: RegExp][] = [
  [[], /the tokens must be an object such as \{ clientId: 'payment' \}|the terms must be an object/],
  [[{ jti: 'a' }], /the terms must be an object/],
  [['a', { until: now + 1 }], /the tokens must be an object/],
  [[new Map([['jti', 'a']]), { until: now + 1 }], /the tokens must be an object/],
  [[Promise.resolve({ jti: 'a' }), { until: now + 1 }], /the tokens must be an object/],
  [[{}, { until: now + 1 }], /exactly one of jti, clientId, subject, keyId; received none/],
  [[{ jti: 'a', clientId: 'b' }, { until: now + 1 }], /exactly one of .*; received jti and clientId/],
  [[{ jti: undefined }, { until: now + 1 }], /`jti` is undefined/],
  [[{ jti: '' }, { until: now + 1 }], /option `jti`/],
  [[{ jti: 7 }, { until: now + 1 }], /option `jti`/],
  [[{ subject: null }, { until: now + 1 }], /option `subject`/],
  [[{ clientId: ['a'] }, { until: now + 1 }], /option `clientId`/],
  [[{ keyId: 'x'.repeat(1_025) }, { until: now + 1 }], /option `keyId`/],
  [[{ kid: 'a' }, { until: now + 1 }], /no option `kid`; did you mean `keyId`/],
  [[{ sub: 'a' }, { until: now + 1 }], /no option `sub`; did you mean `subject`/],
  [[{ jti: 'a' }, {}], /`until` is missing/],
  [[{ jti: 'a' }, { until: undefined }], /`until` is undefined/],
  [[{ jti: 'a' }, { until: now }], /`until` is 1800000000000; expected .* in the future/],
  [[{ jti: 'a' }, { until: now / 1000 + 60 }], /`until` is 1800000060; .*not seconds/],
  [[{ jti: 'a' }, { until: now + 366 * 86_400_000 }], /at most 365 days/],
  [[{ jti: 'a' }, { until: Infinity }], /option `until`/],
  [[{ jti: 'a' }, { until: NaN }], /option `until`/],
  [[{ jti: 'a' }, { until: '2027-01-01' }], /option `until`/],
  [[{ jti: 'a' }, { until: new Date(now + 1) }], /option `until`/],
  [[{ jti: 'a' }, { until: now + 1, issuedBefore: now }], /issuedBefore` has no effect with `jti`/],
  [[{ subject: 'a' }, { until: now + 1, issuedBefore: 'now' }], /option `issuedBefore`/],
  [
    [{ subject: 'a' }, { until: now + 1, issuedBefore: now / 1000 }],
    /`issuedBefore` is 1800000000; .*not seconds/,
  ],
  [[{ subject: 'a' }, { until: now + 1, issuedBefore: 0 }], /`issuedBefore` is 0; /],
  [
    [{ subject: 'a' }, { until: now + 1, issuedBefore: now - 365 * 86_400_000 }],
    /`issuedBefore` is .*at most 365 days ago/,
  ],
  [
    [{ subject: 'a' }, { until: now + 1, issuedBefore: now * 1000 }],
    /`issuedBefore` is 1800000000000000; .*not after `until`/,
  ],
  [
    [{ subject: 'a' }, { until: now + 1, issuer: 'https://elsewhere.example.com' }],
    /which is not a trusted issuer/,
  ],
  [[{ subject: 'a' }, { until: now + 1, issuer: '' }], /option `issuer`/],
  [[{ subject: 'a' }, { until: now + 1, iss: 'a' }], /no option `iss`; did you mean `issuer`/],
]
for (const [given, message] of wrong)
  t.test(`rejects invalid arguments: ${message}`, async t => {
    const bench = await start(t)
    const revoke = bench.app.oauth.revoke as (...given: unknown[]) => Promise<void>
    await t.rejects(revoke(...given), { code: 'OAUTH_INVALID_REVOCATION', message })
    t.equal(bench.app.oauth.stats().revocations?.active, 0)
  })

t.test('rejects arguments whose getters throw, whatever they throw', async t => {
  const bench = await start(t)
  const revoke = bench.app.oauth.revoke as (...given: unknown[]) => Promise<void>
  for (const thrown of [undefined, null, new Error('vault')]) {
    const get = (): never => {
      throw thrown
    }
    const proxy = new Proxy({}, { getPrototypeOf: get })
    const cases = [
      [Object.defineProperty({}, 'subject', { get }), { until: now + 1 }],
      [{ subject: 'a' }, Object.defineProperty({}, 'until', { get })],
      [{ subject: 'a' }, Object.defineProperty({ until: now + 1 }, 'issuer', { get })],
      [proxy, { until: now + 1 }],
      [{ subject: 'a' }, proxy],
    ]
    for (const given of cases)
      await t.rejects(revoke(...given), { code: 'OAUTH_INVALID_REVOCATION', message: /cannot be read/ })
  }
})

t.test('adds a revocation without iterating over all former issuers', async t => {
  let time = 0
  const list = createRevocationList({ now: () => time, clockToleranceMs: 0, keyIdOf: () => undefined })
  const add = (issuer: string, until: number): boolean =>
    list.add({ issuer, by: 'jti', value: 'one', until, issuedBefore: undefined }, 1)
  for (; time < 20_000; time += 1) if (!add(`https://${time}.example`, time + 1)) t.fail(`at ${time}`)
  t.ok(add('https://last.example', time + 2), 'the one before has ended')
  t.notOk(add('https://other.example', time + 2))
  t.strictSame(
    [...list.all()].map(({ issuer }) => issuer),
    ['https://last.example'],
  )
})

t.test('names the missing option in revoke, and omits revocations from stats without it', async t => {
  for (const options of [{}, { revocation: false }]) {
    const bench = await startBench(t, options)
    const terms: RevocationTerms = { until: bench.clock.now + hour }
    const expected = { code: 'OAUTH_INVALID_REVOCATION', message: /`revocation` is not set/ }
    await t.rejects(bench.app.oauth.revoke({ jti: 'one' }, terms), expected)
    await t.rejects(bench.app.oauth.unrevoke({ jti: 'one' }), expected)
    t.notOk('revocations' in bench.app.oauth.stats())
  }
})

t.test('does not start with invalid options', async t => {
  for (const revocation of [
    null,
    'memory',
    1,
    [],
    { maxEntries: 0 },
    { maxEntries: 1_000_001 },
    { maxEntries: 1.5 },
    { max: 1 },
    new Map(),
  ])
    await t.rejects(
      async () => buildApp(t).register(resourceServer, { ...registered, revocation: revocation as never }),
      { code: 'OAUTH_INVALID_OPTION', message: /revocation/ },
    )
})

t.test('logs and publishes revocations', async t => {
  const seen: unknown[] = []
  const listen = (message: unknown): void => void seen.push(message)
  subscribe('fastify-resource-server:revocation', listen)
  t.teardown(() => unsubscribe('fastify-resource-server:revocation', listen))
  const bench = await start(t)
  const until = bench.clock.now + hour
  const issuedBefore = bench.clock.now - 5
  await bench.app.oauth.revoke({ subject: 'payment' }, { until, issuedBefore })
  await bench.app.oauth.unrevoke({ subject: 'payment' })
  const revocation = { issuer: bench.issuer.url, by: 'subject', value: 'payment', until, issuedBefore }
  t.strictSame(seen, [
    { ...revocation, undone: false },
    { ...revocation, undone: true },
  ])
  const lines = bench.logged.filter(line => line['by'] === 'subject')
  t.match(lines, [
    { ...revocation, level: 30, msg: 'tokens revoked' },
    { ...revocation, level: 30, msg: 'revocation undone' },
  ])
})

t.test('revokes tokens in createVerifier too', async t => {
  const bench = await start(t)
  const options = { issuer: bench.issuer.url, audience, clock: () => bench.clock.now }
  const verifier = await createVerifier({ ...options, revocation: true })
  t.teardown(() => verifier.close())
  const token = bench.token()
  t.match(await verifier.verify(token), { clientId: 'payment' })
  await verifier.revoke({ clientId: 'payment' }, { until: bench.clock.now + hour })
  await t.rejects(verifier.verify(token), { code: 'OAUTH_INVALID_TOKEN', reason: 'revoked' })
  t.match(verifier.stats(), { refused: { revoked: 1 }, revocations: { active: 1, isCurrent: true } })
  t.equal(await status(bench, token), 200, 'each instance has revocations of its own')
  t.equal(await verifier.unrevoke({ clientId: 'payment' }), true)
  t.match(await verifier.verify(token), { clientId: 'payment' })

  const without = await createVerifier(options)
  t.teardown(() => without.close())
  await t.rejects(without.revoke({ jti: 'one' }, { until: bench.clock.now + hour }), {
    code: 'OAUTH_INVALID_REVOCATION',
  })
})
