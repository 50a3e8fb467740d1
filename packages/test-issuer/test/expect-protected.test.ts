import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { createLocalJWKSet, jwtVerify } from 'jose'
import fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import resourceServer from 'fastify-resource-server'
import { createTestIssuer, expectProtected, type ProfileName, type TestIssuer } from 'oauth-test-issuer'

const audience = 'https://receipts.example.com'
const scopes = ['receipts:read', 'receipts:write']

async function start(
  t: Test,
  profile: ProfileName = 'rfc9068',
): Promise<{ issuer: TestIssuer; app: FastifyInstance }> {
  const issuer = await createTestIssuer({ audience, profile })
  const app = fastify()
  t.teardown(() => Promise.all([app.close(), issuer.close()]))
  return { issuer, app }
}

for (const profile of ['rfc9068', 'entra', 'auth0', 'keycloak', 'okta', 'cognito'] as const)
  t.test(`accepts protected routes: ${profile}`, async t => {
    const { issuer, app } = await start(t, profile)
    const isCognito = profile === 'cognito'
    await app.register(resourceServer, {
      issuer: issuer.url,
      audience: isCognito ? 'test-client' : audience,
      profile,
    })
    const oauth = profile === 'entra' ? { roles: ['receipts:read'] } : { scopes: ['receipts:read'] }
    app.get('/receipts/:id', { config: { oauth: oauth as never } }, async () => 'ok')
    await expectProtected(app, { issuer, routes: [{ url: '/receipts/:id', scopes: ['receipts:read'] }] })
  })

t.test('rejects misspelled options', async t => {
  const { issuer, app } = await start(t)
  const [url, scopes] = ['/receipts', ['receipts:read']]
  for (const [options, message] of [
    [
      { routs: [{ url, scopes }] },
      /expectProtected\(\): there is no option `routs`; did you mean `routes`\?/,
    ],
    [{ routes: [{ url, scope: scopes }] }, /there is no option `routes\[0\].scope`; did you mean `scopes`\?/],
    [{ routes: [{ scopes }] }, /option `routes\[0\].url` is missing; expected a path such as '\/receipts'/],
    [{ routes: ['/receipts'] }, /option `routes\[0\]` is "\/receipts"; expected a route/],
    [{ issuer: undefined }, /option `issuer` is missing; expected an issuer created by createTestIssuer\(\)/],
  ] as const)
    await t.rejects(expectProtected(app, { issuer, ...options } as never), { name: 'TypeError', message })
})

t.test('reports open routes, with one line for each route', async t => {
  const { issuer, app } = await start(t)
  app.get('/open', async () => 'anybody')
  app.get('/broken', async () => {
    throw new Error('not even looked at')
  })
  const failure = await expectProtected(app, {
    issuer,
    routes: [{ url: '/open', scopes: ['receipts:read'] }, { url: '/broken' }],
  }).catch((error: unknown) => error)
  t.match(failure, {
    name: 'AssertionError',
    code: 'ERR_ASSERTION',
    actual: [
      /^GET \/open returned 200 for every request, both without a token and with each of \d+ invalid tokens$/,
      /^GET \/broken returned 500 for every request/,
      'GET /broken returned 500 for a valid token',
    ],
  })
})

t.test('reports each invalid token that a route accepts', async t => {
  const { issuer, app } = await start(t)
  app.get('/signed', async (request, reply) => {
    // An incomplete check: the signature alone.
    const token = request.headers.authorization?.slice('Bearer '.length) ?? ''
    const verified = await jwtVerify(token, createLocalJWKSet(issuer.jwks as never)).catch(() => undefined)
    if (verified !== undefined) return 'ok'
    return reply
      .code(401)
      .header('www-authenticate', token === '' ? 'Bearer' : 'Bearer error="invalid_token"')
      .send()
  })
  const failure = await expectProtected(app, {
    issuer,
    routes: [{ url: '/signed', scopes: ['receipts:read'] }],
  }).catch((error: unknown) => error)
  const text = String(failure)
  for (const line of [
    'GET /signed returned 200 instead of 401 for the invalid token `wrongAudience`: the token was issued for another API (RFC 7519 §4.1.3)',
    'GET /signed returned 200 instead of 401 for the invalid token `withoutExpiry`',
    'GET /signed returned 200 instead of 403 for the invalid token `missingScope`',
  ])
    t.ok(text.includes(`\n  ${line}`), line)
  t.notMatch(text, 'tamperedPayload', 'and no other')
  t.notMatch(text, /eyJ/, 'no token is in it')
})

t.test('reports a missing challenge and a scope that is not checked', async t => {
  const { issuer, app } = await start(t)
  await app.register(resourceServer, { issuer: issuer.url, audience, scopes })
  app.get('/half', { config: { oauth: { scopes: ['receipts:read'] } } }, async () => 'ok')
  app.get(
    '/bare',
    { onSend: async (_, reply) => void reply.removeHeader('www-authenticate') },
    async () => 'ok',
  )
  await t.rejects(
    expectProtected(app, { issuer, routes: [{ url: '/half', scopes }] }),
    /returned 200 instead of 403 for a token without the scope receipts:write/,
  )
  await t.rejects(expectProtected(app, { issuer, routes: [{ url: '/bare' }] }), /without a challenge/)
})

t.test('reports a route that rejects valid tokens', async t => {
  const { issuer, app } = await start(t)
  await app.register(resourceServer, { issuer: issuer.url, audience, scopes })
  app.post('/receipts', { config: { oauth: { scopes: ['receipts:write'] } } }, async request => request.body)
  await t.rejects(
    expectProtected(app, { issuer, routes: [{ method: 'POST', url: '/receipts' }] }),
    /POST \/receipts returned 403 for a valid token/,
  )
  await expectProtected(app, {
    issuer,
    routes: [{ method: 'POST', url: '/receipts', scopes: ['receipts:write'], payload: { a: 1 } }],
  })
})

t.test('checks the routes of fastify-resource-server with the fewest sufficient scopes', async t => {
  const { issuer, app } = await start(t)
  await app.register(resourceServer, { issuer: issuer.url, audience })
  const asked = new Set<string>()
  app.addHook('onResponse', async ({ method, url }) => void asked.add(`${method} ${url}`))
  app.get('/open', { config: { oauth: false } }, async () => 'anybody')
  app.get('/any', { config: { oauth: { scopes: ['a', 'b'], match: 'any' } } }, async () => 'ok')
  app.put('/all/:id', { config: { oauth: { scopes: ['a', 'b'] } } }, async () => 'ok')
  await expectProtected(app, { issuer })
  t.same([...asked].toSorted(), ['GET /any', 'PUT /all/1'])
})

/** Maps the URL of a Fastify route to the URL of the request. */
const filledIn = {
  '/books/:id': '/books/1',
  '/books/:from-:to': '/books/1-1',
  '/books/:id.pdf': '/books/1.pdf',
  '/books/:id(^\\d+$)/pages/:page(^(?:\\d|\\(\\))+$)': '/books/1/pages/1',
  '/at/:hour(^\\d+)h:minute(^\\d+)m': '/at/1h1m',
  '/optional/:id?': '/optional/1',
  '/books::search': '/books:search',
  '/urn::isbn::/:id': '/urn:isbn:/1',
  '/:id/::all': '/1/:all',
  '/files/*': '/files/1',
}

t.test('omits scopes that another required scope includes', async t => {
  const { issuer, app } = await start(t)
  await app.register(resourceServer, {
    issuer: issuer.url,
    audience,
    scopes: { write: ['read'], read: [], audit: [] },
  })
  app.get('/', { config: { oauth: { scopes: ['read', 'write', 'audit'] } } }, async () => 'ok')
  await expectProtected(app, { issuer })
})

t.test('reports routes in report mode', async t => {
  const { issuer, app } = await start(t)
  await app.register(resourceServer, { issuer: issuer.url, audience, mode: 'report' })
  app.get('/reported', async () => 'ok')
  await app.ready()
  const failure = await expectProtected(app, { issuer }).catch((error: unknown) => error)
  t.match(failure, { actual: [/^GET \/reported returned 200 for every request/] })
})

t.test('replaces route parameters and keeps literal colons', async t => {
  const { issuer, app } = await start(t)
  await app.register(resourceServer, { issuer: issuer.url, audience })
  const asked = new Set<string>()
  app.addHook('onResponse', async ({ url, routeOptions }) => void asked.add(`${routeOptions.url} ${url}`))
  const routes = Object.keys(filledIn)
  for (const route of routes) app.get(route, async () => 'ok')
  await expectProtected(app, { issuer, routes: routes.map(url => ({ url })) })
  t.strictSame(
    [...asked],
    Object.entries(filledIn).map(sides => sides.join(' ')),
  )
})

t.test('sends the query of a URL unchanged', async t => {
  const { issuer, app } = await start(t)
  await app.register(resourceServer, { issuer: issuer.url, audience })
  const asked = new Set<string>()
  app.addHook('onResponse', async ({ url }) => void asked.add(url))
  app.get('/books/:id', async () => 'ok')
  await expectProtected(app, { issuer, routes: [{ url: '/books/:id?at=12:30&title=*' }] })
  t.strictSame([...asked], ['/books/1?at=12:30&title=*'])
})

t.test('rejects an empty list of routes', async t => {
  const { issuer, app } = await start(t)
  await t.rejects(
    expectProtected(app, { issuer, routes: [] }),
    /`routes` is \[\]; expected a list with at least one route/,
  )
  await t.rejects(expectProtected(app, { issuer }), /needs `routes`/)
})

/** A failing test for each runner. scripts/consumers.mjs tests vitest, because it is not installed here. */
const runners = {
  'node:test': { first: `import test from 'node:test'`, flags: ['--test-reporter=spec'] },
  tap: { first: `import { test } from 'tap'`, flags: [] },
}

for (const [runner, { first, flags }] of Object.entries(runners))
  t.test(`reports readable errors under ${runner}`, async t => {
    const file = new URL(`expect-protected-under-${runner.replace(':', '-')}.mjs`, import.meta.url)
    writeFileSync(
      file,
      `${first}
import fastify from 'fastify'
import { createTestIssuer, expectProtected } from 'oauth-test-issuer'
test('open', async () => {
  const issuer = await createTestIssuer({ audience: 'a:b' })
  const app = fastify()
  app.get('/open', async () => 'anybody')
  try { await expectProtected(app, { issuer, routes: [{ url: '/open' }] }) } finally { await issuer.close() }
})`,
    )
    t.teardown(() => rmSync(file))
    // Removes the variables that tap and node:test set for child processes.
    const env = { PATH: process.env['PATH'] }
    const child = spawn(process.execPath, [...flags, fileURLToPath(file)], { env })
    let output = ''
    child.stdout.on('data', chunk => (output += String(chunk)))
    const [code] = (await once(child, 'close')) as [number]
    t.equal(code, 1)
    t.match(output, 'some routes are not protected correctly:')
    t.match(output, /^[\s-]+GET \/open returned 200 for every request, both without a token and with/m)
    t.notMatch(output, /eyJ/, 'no token is in it')
  })
