import fastify from 'fastify'
import { createTestIssuer } from 'oauth-test-issuer'
import t from 'tap'
import resourceServer, { defineResourceServer, type AccessToken } from 'fastify-resource-server'

// A program of its own: the declaration counts for all of it. Each `@ts-expect-error` stands before an error.
declare module 'fastify-resource-server' {
  interface OAuthTypes {
    mode: 'report'
  }
}

type Is<Actual, Expected> = 0 extends 1 & Actual
  ? false
  : [Actual, Expected] extends [Expected, Actual]
    ? true
    : false
const holds = (claim: true): void => void claim

t.test("types request.auth as nullable on every route with `mode: 'report'`", async t => {
  const audience = 'https://api.example.com'
  const issuer = await createTestIssuer({ audience })
  const app = fastify()
  t.teardown(async () => {
    await app.close()
    await issuer.close()
  })
  const receipts = defineResourceServer({ scopes: ['read', 'write'] })
  await app.register(receipts.plugin, { issuer: issuer.url, audience, mode: 'report' })
  app.get('/none', async ({ auth }) => {
    holds(true satisfies Is<typeof auth, AccessToken | null>)
    // @ts-expect-error -- it may be null
    void (() => auth.clientId)
    return String(auth?.clientId ?? null)
  })
  app.get('/rule', { config: { oauth: { scopes: ['read'] } } }, async ({ auth }) => {
    holds(true satisfies Is<typeof auth, AccessToken | null>)
    return String(auth?.clientId ?? null)
  })
  app.get('/protected', { config: receipts.protect({ scopes: ['read'] }) }, async ({ auth }) => {
    // @ts-expect-error -- it may be null
    void (() => auth.scopes)
    return String(auth?.scopes.includes('read') ?? null)
  })
  app.get('/public', { config: { oauth: false } }, async ({ auth }) => {
    holds(true satisfies Is<typeof auth, null>)
    return String(auth)
  })
  const headers = { authorization: `Bearer ${await issuer.token({ scopes: ['read'] })}` }
  for (const url of ['/none', '/rule', '/protected', '/public'])
    t.equal((await app.inject({ url, headers })).body, 'null', url)
})

t.test('rejects a misspelt report at compile time and at start', async t => {
  const app = fastify()
  t.teardown(() => app.close())
  await app.register(resourceServer, {
    issuer: 'https://login.example.com',
    audience: 'https://api.example.com',
    dpop: 'allow',
    scopes: ['read', 'write'],
  })
  const code = 'OAUTH_INVALID_ROUTE'
  app.get(
    '/right',
    { config: { oauth: { scopes: ['read'], report: { dpop: 'require', scopes: ['write'] } } } },
    async () => '',
  )
  t.throws(
    // @ts-expect-error -- there is no such kind of report
    () => app.get('/1', { config: { oauth: { report: { dpop: 'allow' } } } }, async () => ''),
    { code },
  )
  t.throws(
    // @ts-expect-error -- it is `scopes`
    () => app.get('/2', { config: { oauth: { report: { scope: ['read'] } } } }, async () => ''),
    { code },
  )
  t.throws(
    // @ts-expect-error -- a list that demands nothing
    () => app.get('/3', { config: { oauth: { report: { scopes: [] } } } }, async () => ''),
    { code },
  )
})
