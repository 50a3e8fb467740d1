import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import resourceServer, {
  createVerifier,
  type AccessToken,
  type ResourceServerOptions,
  type RouteRequirement,
} from 'fastify-resource-server'
import { hashOf, makeProof, makeProofKey } from './hand-made-proof.js'
import { audience, buildApp, registered, startBench, type Bench } from './protected-app.js'

// `report` of a route: demands that are evaluated beside those that are enforced, and refuse nothing.

const hierarchy = { write: ['read'], read: [], audit: [] }

interface Reporting {
  readonly app: FastifyInstance
  readonly bench: Bench
  readonly seen: (AccessToken | null)[]
  /** GET / with a token that has these claims. */
  send(claims?: Record<string, unknown>): Promise<number>
}

async function startReporting(
  t: Test,
  oauth: RouteRequirement,
  options: Partial<ResourceServerOptions> = {},
): Promise<Reporting> {
  const bench = await startBench(t)
  const app = buildApp(t)
  const seen: (AccessToken | null)[] = []
  await app.register(resourceServer, {
    issuer: bench.issuer.url,
    audience,
    clock: () => bench.clock.now,
    scopes: ['read', 'write'],
    ...options,
  })
  app.get('/', { config: { oauth } }, async ({ auth }) => void seen.push(auth))
  const send = async (claims?: Record<string, unknown>): Promise<number> => {
    const headers = claims === undefined ? {} : { authorization: `Bearer ${bench.token(claims)}` }
    return (await app.inject({ url: '/', headers })).statusCode
  }
  return { app, bench, seen, send }
}

function reasons({ oauth }: FastifyInstance): readonly string[] {
  return oauth.stats().reported.map(({ client, reason, count }) => `${count} ${client ?? '-'} ${reason}`)
}

t.test('accepts requests that meet the enforced rule, and reports those that fail the rest', async t => {
  const { app, bench, seen, send } = await startReporting(t, {
    scopes: ['read'],
    report: { scopes: ['write'] },
  })
  t.equal(await send({ scope: 'read' }), 200)
  t.match(seen[0], { clientId: 'payment', scopes: ['read'] }, 'request.auth is the token')
  t.same(reasons(app), ['1 payment scope'])
  t.equal(await send({ scope: 'read write' }), 200)
  t.equal(await send({ scope: 'write' }), 403, 'what is enforced is enforced')
  t.equal(await send(), 401)
  t.equal(await send({ scope: 'read write', exp: 1 }), 401)
  t.same(reasons(app), ['1 payment scope'], 'and is not reported')
  t.match(app.oauth.stats(), { allowed: 2, refused: { scope: 1, missing: 1, expired: 1 } })
  t.equal(app.oauth.printRoutes(), 'GET,HEAD  /  read (reported: write)\n', 'both are listed')
  t.match(app.oauth.routes(), [{ access: 'protected', requirement: { report: { scopes: ['write'] } } }])
  t.ok(bench)
})

t.test('refuses requests in the same way with and without a report', async t => {
  const plain = await startReporting(t, { scopes: ['read'] })
  const reporting = await startReporting(t, { scopes: ['read'], report: { scopes: ['write'] } })
  for (const headers of [{}, { authorization: 'Bearer a.b.c' }]) {
    const [expected, answer] = await Promise.all(
      [plain, reporting].map(({ app }) => app.inject({ url: '/', headers })),
    )
    t.equal(answer?.headers['www-authenticate'], expected?.headers['www-authenticate'])
    t.equal(answer?.body, expected?.body)
  }
})

t.test('reports a missing audience, missing roles and an old login', async t => {
  const both = [audience, 'https://new.example.com']
  const options = { audience: both }
  const forNew = await startReporting(t, { report: { audience: 'https://new.example.com' } }, options)
  t.equal(await forNew.send({}), 200)
  t.equal(await forNew.send({ aud: both }), 200)
  t.same(reasons(forNew.app), ['1 payment audience'])

  const strict = await startReporting(t, { report: { roles: ['Clerk'], acr: ['phr'], maxAgeMs: 60_000 } })
  const login = { acr: 'phr', auth_time: Math.floor(strict.bench.clock.now / 1000), roles: ['Clerk'] }
  for (const claims of [login, { ...login, roles: [] }, { ...login, acr: 'pwd' }, { ...login, auth_time: 1 }])
    t.equal(await strict.send(claims), 200)
  t.same(reasons(strict.app), ['1 payment scope', '2 payment authentication'])
})

t.test('treats `report` with `optional` as the rule without `optional`', async t => {
  const { app, send } = await startReporting(t, { optional: true, report: { scopes: ['write'] } })
  t.equal(await send(), 200)
  t.equal(await send({ scope: 'read' }), 200)
  t.same(reasons(app), ['1 - missing', '1 payment scope'])
})

t.test('reports requests without a token on optional routes', async t => {
  const { app, send, seen } = await startReporting(t, { optional: true, report: {} })
  t.equal(await send(), 200)
  t.equal(await send({}), 200)
  t.equal(await send({ exp: 1 }), 401)
  t.strictSame([seen[0], seen[1]?.clientId], [null, 'payment'])
  t.same(reasons(app), ['1 - missing'])
})

t.test('checks and uses a DPoP proof once', async t => {
  const added: string[] = []
  const replayStore = { add: (id: string) => !added.includes(id) && added.push(id) > 0 }
  const { app, bench, send } = await startReporting(
    t,
    { report: { dpop: 'require' } },
    { dpop: { origin: audience, replayStore } },
  )
  t.equal(await send({}), 200)
  t.same(reasons(app), ['1 payment binding'])
  const atStart = added.length
  const client = makeProofKey()
  const token = bench.token({ cnf: { jkt: client.thumbprint } })
  const iat = Math.floor(bench.clock.now / 1000)
  const dpop = makeProof(client, { htm: 'GET', htu: `${audience}/`, iat, jti: 'one', ath: hashOf(token) })
  const prove = async (): Promise<number> =>
    (await app.inject({ url: '/', headers: { authorization: `DPoP ${token}`, dpop } })).statusCode
  t.equal(await prove(), 200)
  t.equal(added.length, atStart + 1)
  t.equal(await prove(), 401, 'as without the report')
  t.same(reasons(app), ['1 payment binding'], 'nothing new')
})

t.test("reports both rules with `mode: 'report'`", async t => {
  const { app, bench, send } = await startReporting(
    t,
    { scopes: ['read'], report: { scopes: ['write'] } },
    { mode: 'report', verifyInThreadPool: false },
  )
  await app.oauth.verify(bench.token({ jti: 'the first' }))
  t.equal(await send({ scope: 'read' }), 200)
  t.equal(await send({ scope: 'other', client_id: 'other' }), 200)
  t.same(reasons(app), ['1 payment scope', '1 other scope'])
  t.equal(app.oauth.printRoutes(), "GET,HEAD  /  NOT ENFORCED (mode: 'report'): read (reported: write)\n")
})

t.test('rejects invalid reports', async t => {
  const cases: [oauth: object, message: RegExp, options?: Partial<ResourceServerOptions>][] = [
    [{ report: {} }, /config\.oauth\.report adds no requirement to the enforced ones/],
    [{ scopes: ['read'], report: { scopes: ['read'] } }, /report adds no requirement to the enforced ones/],
    [{ scopes: ['read', 'write'], report: { scopes: ['write'] } }, /report adds no requirement/],
    [
      { scopes: ['write'], report: { scopes: ['read'] } },
      /report adds no requirement/,
      { scopes: hierarchy },
    ],
    [{ scopes: ['read'], report: { scopes: ['read', 'write'], match: 'any' } }, /report adds no requirement/],
    [
      { scopes: ['read'], roles: ['Clerk'], report: { scopes: ['read'], roles: ['Clerk', 'Boss'] } },
      /report adds no requirement/,
    ],
    [
      { acr: ['phr'], maxAgeMs: 1_000, audience, report: { acr: ['phr', 'mfa'], maxAgeMs: 1_000, audience } },
      /report adds no requirement/,
    ],
    [{ report: true }, /`config\.oauth\.report` is true; expected an object such as/],
    [{ report: undefined }, /config\.oauth\.report is undefined/],
    [{ report: { scopes: undefined } }, /config\.oauth\.report\.scopes is undefined/],
    [{ report: { scopes: ['raed'] } }, /config\.oauth\.report\.scopes contains "raed".*did you mean "read"/],
    [{ report: { scope: ['read'] } }, /no option `config\.oauth\.report\.scope`; did you mean `scopes`/],
    [{ report: { audience: 'other' } }, /config\.oauth\.report\.audience is "other", which is not in/],
    [{ report: { match: 'any' } }, /config\.oauth\.report has match without scopes/],
    [{ report: { scopes: ['read'], optional: false } }, /config\.oauth\.report\.optional has no effect/],
    [{ report: { report: { scopes: ['read'] } } }, /config\.oauth\.report\.report has no effect/],
    [{ report: { dpop: 'allow' } }, /config\.oauth\.report\.dpop is "allow"; expected 'require'/],
    [
      { report: { dpop: 'require' } },
      /config\.oauth\.report\.dpop has no effect unless the plugin's option `dpop` is set/,
    ],
    [
      { report: { dpop: 'require' } },
      /report\.dpop has an effect only on routes with dpop: 'allow', but this route has dpop: 'require'/,
      { dpop: 'require' },
    ],
    [{ dpop: 'off', report: { dpop: 'require' } }, /this route has dpop: 'off'/, { dpop: 'allow' }],
  ]
  for (const [oauth, message, options] of cases) {
    const app = buildApp(t)
    await app.register(resourceServer, { ...registered, ...options })
    t.throws(
      () => app.get('/', { config: { oauth: oauth as never } }, async () => ''),
      { code: 'OAUTH_INVALID_ROUTE', message },
      String(message),
    )
  }
})

t.test('accepts reports with slightly stricter requirements', async t => {
  const app = buildApp(t)
  await app.register(resourceServer, { ...registered, scopes: hierarchy })
  const rules = [
    { scopes: ['read'], report: { scopes: ['write'] } },
    { scopes: ['read', 'audit'], match: 'any', report: { scopes: ['read'] } },
    { scopes: ['read', 'audit'], match: 'any', report: { scopes: ['read', 'audit'] } },
    { scopes: ['read'], roles: ['Clerk'], report: { scopes: ['read'] } },
    { roles: ['Clerk', 'Boss'], report: { roles: ['Clerk'] } },
    { scopes: ['read'], report: { scopes: ['read'], audience } },
    { acr: ['phr', 'mfa'], report: { acr: ['phr'] } },
    { maxAgeMs: 2_000, report: { maxAgeMs: 1_000 } },
    { scopes: ['read'], optional: true, report: { scopes: ['read'] } },
  ] as const
  for (const [index, oauth] of rules.entries())
    t.doesNotThrow(
      () => app.get(`/${index}`, { config: { oauth: oauth as never } }, async () => ''),
      JSON.stringify(oauth),
    )
})

t.test('rejects `report` outside requests', async t => {
  const app = buildApp(t)
  await app.register(resourceServer, registered)
  const rule = { report: { scopes: ['read'] } } as never
  await t.rejects(app.oauth.verify('a.b.c', rule), { code: 'OAUTH_GUARD_FAILED' })
  const verifier = await createVerifier({ ...registered, prefetch: 'lazy' })
  t.teardown(() => verifier.close())
  await t.rejects(verifier.verify('a.b.c', rule), { code: 'OAUTH_GUARD_FAILED' })
  await t.rejects(createVerifier({ ...registered, mode: 'report' } as never), {
    message: /`mode` applies to HTTP requests/,
  })
})
