import fastify, { type FastifyInstance } from 'fastify'
import t from 'tap'
import resourceServer, { defineResourceServer, type ResourceServerOptions } from 'fastify-resource-server'
import { makeKey, signRaw } from './hand-made-issuer.js'
import { audience, buildApp, registered } from './protected-app.js'

// Fastify refuses to start after a failed registration, unless the application takes the error over with `after(error)`.
// Then it starts, and nothing of a plugin that failed before it added its hook is left.

const key = makeKey('first')
const now = Math.floor(Date.now() / 1000)
const token = signRaw(
  { alg: 'ES256', typ: 'at+jwt', kid: 'first' },
  {
    iss: registered.issuer,
    aud: audience,
    sub: 'payment',
    client_id: 'payment',
    iat: now,
    exp: now + 300,
    jti: 'one',
  },
  key,
)

/** Options that fail at different moments. */
const failures: Readonly<Record<string, () => ResourceServerOptions>> = {
  'an invalid option': () => ({ ...registered, issuer: 'internal' }),
  'no options': () => ({}),
  'an option whose getter throws': () =>
    Object.defineProperty({ ...registered }, 'audience', {
      enumerable: true,
      get() {
        throw new Error('internal')
      },
    }),
  'an option whose getter throws null': () =>
    Object.defineProperty({ ...registered }, 'audience', {
      enumerable: true,
      get() {
        throw null
      },
    }),
  'a clock that throws undefined': () => ({
    ...registered,
    clock() {
      throw undefined
    },
  }),
  'an API that throws null': () => ({
    ...registered,
    api: {
      audience,
      scopes: {},
      requireRoutes() {
        throw null
      },
    },
  }),
  'a schema that cannot be compiled': () => ({
    ...registered,
    claims: { type: 'object', properties: { tenant: { type: 'string', pattern: '(' } } },
  }),
  'keys that cannot be used': () => ({ ...registered, keys: [{ kty: 'oct', k: 'internal' }] }),
  'a route that asks for a scope outside the catalogue': () => ({ ...registered, scopes: ['internal'] }),
}

const ignore = (error: Error | null): void => void error

const registrations: Readonly<
  Record<string, (app: FastifyInstance, options: ResourceServerOptions) => unknown>
> = {
  'of the plugin': (app, options) => app.register(resourceServer, options).after(ignore),
  'of a defined resource server': (app, options) => {
    const scopes = (options.scopes ?? ['read']) as [string]
    return app.register(defineResourceServer({ scopes }).plugin, options).after(ignore)
  },
}

const fault = {
  statusCode: 500,
  code: 'OAUTH_GUARD_FAILED',
  error: 'Internal Server Error',
  message: 'Access to this route could not be checked',
}

for (const [why, makeOptions] of Object.entries(failures))
  for (const [what, register] of Object.entries(registrations)) {
    t.test(`leaves no route open after an ignored failed registration ${what}: ${why}`, async t => {
      const logged: string[] = []
      const app = fastify({ logger: { stream: { write: (line: string) => void logged.push(line) } } })
      t.teardown(() => app.close())
      app.get('/before', { config: { oauth: { scopes: ['read'] } } }, async () => 'open')
      void app.register(async child => {
        child.get('/child-before', async () => 'open')
      })
      app.after(() => {
        register(app, makeOptions())
        app.get('/after', async () => 'open')
        app.get('/public', { config: { oauth: false } }, async () => 'open')
        void app.register(async child => {
          child.get('/child-after', async () => 'open')
        })
      })
      await app.ready()
      for (const url of ['/before', '/child-before', '/after', '/public', '/child-after', '/none'])
        for (const authorization of [`Bearer ${token}`, 'Bearer x', undefined]) {
          const headers = authorization === undefined ? {} : { authorization }
          t.strictSame((await app.inject({ url, headers })).json(), fault, url)
        }
      t.match(logged.join(''), /fastify-resource-server: |internal/, 'the log says why')
    })
  }

t.test('closes only the child scope of a failed registration', async t => {
  const app = buildApp(t)
  await app.register(async child => {
    child.register(resourceServer, { ...registered, issuer: 'internal' }).after(ignore)
    child.get('/child', async () => 'open')
  })
  app.get('/beside', async () => 'open')
  t.equal((await app.inject('/child')).statusCode, 500)
  t.equal((await app.inject('/beside')).body, 'open')
})

t.test('fails the start after a failed registration, even if the promise is caught', async t => {
  for (const how of ['await', 'catch'] as const) {
    const app = fastify()
    if (how === 'await') {
      try {
        await app.register(resourceServer, { ...registered, issuer: 'internal' })
        t.fail('it should fail')
      } catch {
        // As an application that tries another issuer, or starts without one.
      }
    } else void app.register(resourceServer, { ...registered, issuer: 'internal' })
    app.get('/', async () => 'open')
    await t.rejects(async () => app.ready(), { code: 'OAUTH_INVALID_OPTION' })
    await t.rejects(async () => app.listen({ port: 0 }), { code: 'OAUTH_INVALID_OPTION' })
    const answer = await Promise.resolve(app.inject('/')).catch(() => undefined)
    t.not(answer?.body, 'open', how)
  }
})
