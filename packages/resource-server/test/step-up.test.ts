import fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import resourceServer, { type RouteRequirement } from 'fastify-resource-server'
import { audience, startBench, type Bench } from './protected-app.js'

async function guarded(t: Test, oauth: RouteRequirement): Promise<{ app: FastifyInstance; bench: Bench }> {
  const bench = await startBench(t)
  const app = fastify()
  t.teardown(() => app.close())
  app.register(resourceServer, { issuer: bench.issuer.url, audience, clock: () => bench.clock.now })
  app.get('/', { config: { oauth } }, async () => 'in')
  return { app, bench }
}

t.test('requires a stronger or more recent authentication of the user (RFC 9470)', async t => {
  const { app, bench } = await guarded(t, { scopes: ['read'], acr: ['phr', 'phrh'], maxAgeMs: 300_999 })
  const call = async (claims: object) =>
    app.inject({ url: '/', headers: { authorization: `Bearer ${bench.token({ ...claims })}` } })
  const now = Math.floor(bench.clock.now / 1000)
  t.equal((await call({ acr: 'phrh', auth_time: now - 300 })).statusCode, 200)
  t.equal((await call({ acr: 'phr', auth_time: now - 304 })).statusCode, 200, 'within the tolerance')
  const weak: object[] = [
    { acr: 'pwd', auth_time: now },
    { acr: ['phr'], auth_time: now },
    { acr: 'phr', auth_time: now - 306 },
    { acr: 'phr', auth_time: String(now) },
    { acr: 'phr' },
    { auth_time: now },
    {},
  ]
  for (const claims of weak) {
    const { statusCode, headers, body } = await call(claims)
    t.equal(statusCode, 401, JSON.stringify(claims))
    t.equal((JSON.parse(body) as { code: string }).code, 'OAUTH_INSUFFICIENT_USER_AUTHENTICATION')
    t.equal(
      headers['www-authenticate'],
      'Bearer error="insufficient_user_authentication", error_description="The user must authenticate again or with a stronger method", acr_values="phr phrh", max_age="300"',
    )
  }
  t.equal(
    (await call({ scope: 'write', acr: 'pwd' })).statusCode,
    403,
    'authenticating does not give a scope',
  )
  t.match(app.oauth.printRoutes(), /read acr phr or phrh authenticated in the last 300.999 s/)
})

t.test('requires step-up authentication in oauth.verify too', async t => {
  const { app, bench } = await guarded(t, {})
  await app.ready()
  await t.rejects(app.oauth.verify(bench.token(), { acr: ['phr'] }), {
    code: 'OAUTH_INSUFFICIENT_USER_AUTHENTICATION',
  })
  await t.resolves(app.oauth.verify(bench.token({ acr: 'phr' }), { acr: ['phr'] }))
  await t.rejects(
    app.oauth.verify(bench.token({ cnf: { jkt: 'thumbprint' } })),
    { code: 'OAUTH_INVALID_TOKEN' },
    'a bound token cannot be proven there',
  )
})

t.test('rejects invalid step-up requirements', async t => {
  for (const [oauth, message] of [
    [{ maxAgeMs: -1 }, /`config\.oauth\.maxAgeMs` is -1; expected a number of milliseconds/],
    [{ maxAgeMs: '5m' }, /`config\.oauth\.maxAgeMs` is "5m"/],
    [{ maxAgeMs: Infinity }, /maxAgeMs` is Infinity/],
    [{ maxAgeMs: NaN }, /maxAgeMs` is NaN/],
    [{ acr: ['phr\r\nset-cookie: a=b'] }, /acr\[0\]` is "phr\\r\\nset-cookie: a=b"/],
    [{ acr: ['phr phrh'] }, /acr\[0\]` is "phr phrh".* without spaces/],
    [{ acr: ['stärker'] }, /acr\[0\]` is "stärker"/],
    [{ acr: [] }, /`config\.oauth\.acr` is \[\]; expected a list of at least one/],
    [{ maxAge: 5 }, /no option `config\.oauth\.maxAge`; did you mean `maxAgeMs`\?/],
  ] as const) {
    const { app } = await guarded(t, oauth as never)
    await t.rejects(async () => app.ready(), { code: 'OAUTH_INVALID_ROUTE', message }, String(message))
  }
})
