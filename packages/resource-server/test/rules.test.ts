import type { FastifyInstance } from 'fastify'
import { inspect } from 'node:util'
import t from 'tap'
import resourceServer, { defineResourceServer } from 'fastify-resource-server'
import { audience, buildApp, registered, startBench } from './protected-app.js'

t.test("rejects a rule outside the plugin's scope", async t => {
  const app = buildApp(t)
  await app.register(async child => child.register(resourceServer, registered))
  await app.register(async child => {
    child.post('/receipts', { config: { oauth: {} } }, async () => 'in')
    child.get('/health', { config: { oauth: false } }, async () => 'well')
  })
  await t.rejects(async () => app.ready(), {
    code: 'OAUTH_INVALID_ROUTE',
    message:
      /^.*POST \/receipts: config\.oauth has no effect here.* register it in this scope or in a parent scope/,
  })
})

t.test('does not affect an application without the plugin', async t => {
  const app = buildApp(t)
  const config = { oauth: { scopes: ['read'] as [string] } }
  let seen: unknown
  app.addHook('onRoute', route => void (seen = route.config))
  app.get('/receipts', { config }, async () => 'in')
  t.equal(seen, config, 'its config is not copied')
  await t.resolves(async () => app.ready())
  t.equal((await app.inject('/receipts')).statusCode, 200)
})

t.test('checks routes that were declared before the plugin', async t => {
  const app = buildApp(t)
  app.register(resourceServer, registered)
  app.get('/receipts', { config: { oauth: { scopes: ['raed'] } } }, async () => 'in')
  await t.rejects(async () => app.ready(), { message: /GET \/receipts: .*did you mean "read"/ })
})

t.test('rejects a rule that is not a plain object', async t => {
  class Rule {
    get scopes(): string[] {
      return ['write']
    }
  }
  const rules: [unknown, RegExp][] = [
    [Promise.resolve({ scopes: ['write'] }), /config\.oauth is a Promise \(is an `await` missing\?\)/],
    [new Map([['scopes', ['write']]]), /config\.oauth is an instance of Map/],
    [new Set(['write']), /config\.oauth is an instance of Set/],
    [new Rule(), /config\.oauth is an instance of Rule/],
    [Object.create({ scopes: ['write'] }), /config\.oauth is an object with a custom prototype/],
  ]
  for (const [oauth, message] of rules) {
    const app = buildApp(t)
    await app.register(resourceServer, registered)
    t.throws(() => app.get('/receipts', { config: { oauth: oauth as never } }, async () => 'in'), { message })
  }
})

t.test('checks, lists and enforces the rule that a later hook sets', async t => {
  const change = async (oauth: unknown): Promise<FastifyInstance> => {
    const app = buildApp(t)
    await app.register(resourceServer, registered)
    app.addHook('onRoute', route => void Object.assign((route.config ??= {}), { oauth }))
    app.get('/receipts', { config: { oauth: {} } }, async () => 'in')
    return app
  }
  await t.rejects(async () => (await change({ scope: ['read'] })).ready(), {
    code: 'OAUTH_INVALID_ROUTE',
    message: /GET \/receipts: there is no option `config\.oauth\.scope`; did you mean `scopes`\?/,
  })
  const stricter = await change({ scopes: ['write'] })
  await stricter.ready()
  t.equal(stricter.oauth.printRoutes(), 'GET,HEAD  /receipts  write\n')
  const open = await change(false)
  t.equal((await open.inject('/receipts')).statusCode, 200)
  t.equal(open.oauth.printRoutes(), 'GET,HEAD  /receipts  public\n')
})

t.test('reads a config object that is changed between two routes', async t => {
  const app = buildApp(t)
  await app.register(resourceServer, registered)
  const config = { oauth: { scopes: ['read'] as [string] } }
  app.get('/one', { config }, async () => 'in')
  config.oauth = { scopes: ['write'] }
  app.get('/two', { config }, async () => 'in')
  t.match(app.oauth.printRoutes(), /\/one +read\n.*\/two +write\n/)
  config.oauth = { scopes: ['wirte'] }
  t.throws(() => app.get('/three', { config }, async () => 'in'), { message: /did you mean "write"/ })
})

t.test("requires a rule on every route with defaultAccess: 'explicit'", async t => {
  const incomplete =
    /GET \/receipts: config\.oauth is missing, but the option `defaultAccess: 'explicit'` requires it/
  const app = buildApp(t)
  await app.register(resourceServer, { ...registered, defaultAccess: 'explicit' })
  t.throws(() => app.get('/receipts', async () => 'in'), { code: 'OAUTH_INVALID_ROUTE', message: incomplete })

  const before = buildApp(t)
  before.get('/receipts', async () => 'in')
  await t.rejects(async () => before.register(resourceServer, { ...registered, defaultAccess: 'explicit' }), {
    message: incomplete,
  })

  const decided = buildApp(t)
  await decided.register(resourceServer, { ...registered, defaultAccess: 'explicit' })
  decided.get('/any', { config: { oauth: {} } }, async () => 'in')
  decided.get('/public', { config: { oauth: false } }, async () => 'in')
  decided.options('*', async () => '')
  t.equal((await decided.inject('/any')).statusCode, 401)
  t.equal((await decided.inject('/public')).statusCode, 200)
  t.equal((await decided.inject({ method: 'OPTIONS', url: '/any' })).statusCode, 401, 'no preflight')
})

t.test("guards only routes with a rule with defaultAccess: 'public'", async t => {
  const bench = await startBench(t, { defaultAccess: 'public' })
  t.equal((await bench.send(undefined, '/any')).statusCode, 200)
  t.equal((await bench.send('Bearer garbage', '/any')).statusCode, 200)
  t.equal((await bench.send(undefined, '/read')).statusCode, 401)
  await t.rejects(
    async () => buildApp(t).register(resourceServer, { ...registered, defaultAccess: 'allow' as never }),
    {
      code: 'OAUTH_INVALID_OPTION',
      message: /`defaultAccess` is "allow"; expected 'protected', 'explicit' or 'public'/,
    },
  )
})

t.test('lists every route with its rule', async t => {
  const app = buildApp(t)
  await app.register(async older => older.get('/older', async () => 'in'))
  app.get('/before', async () => 'in')
  await app.register(resourceServer, { ...registered, audience: [audience, 'urn:other'] })
  app.get('/receipts', { config: { oauth: { scopes: ['read', 'write'] } } }, async () => 'in')
  app.post(
    '/receipts',
    { config: { oauth: { scopes: ['read', 'write'], match: 'any', roles: ['Clerk'], audience } } },
    async () => 'in',
  )
  app.get('/me', { config: { oauth: { optional: true } } }, async () => 'in')
  await app.register(async child => {
    child.get('/health', { config: { oauth: false } }, async () => 'well')
  })
  await app.ready()

  t.match(app.oauth.routes(), [
    { url: '/older', access: 'protected', requirement: { scopes: [] } },
    { methods: ['GET', 'HEAD'], url: '/before', access: 'protected', requirement: { scopes: [] } },
    { url: '/receipts', access: 'protected', requirement: { scopes: ['read', 'write'], match: 'all' } },
    { methods: ['POST'], url: '/receipts', requirement: { match: 'any', roles: ['Clerk'], audience } },
    { url: '/me', access: 'optional' },
    { url: '/health', access: 'public', requirement: null },
  ])
  t.equal(
    app.oauth.printRoutes(),
    `GET,HEAD  /older     any token
GET,HEAD  /before    any token
GET,HEAD  /receipts  read and write
POST      /receipts  read or write or role Clerk for https://api.example.com
GET,HEAD  /me        any token (optional)
GET,HEAD  /health    public
`,
  )
})

t.test('lists the routes of each sibling scope separately', async t => {
  const app = buildApp(t)
  const lists: string[] = []
  for (const prefix of ['/one', '/two'])
    await app.register(
      async child => {
        await child.register(resourceServer, registered)
        child.get('/', async () => 'in')
        child.addHook(
          'onReady',
          async () =>
            void lists.push(
              child.oauth
                .routes()
                .map(({ url }) => url)
                .join(),
            ),
        )
      },
      { prefix },
    )
  await app.ready()
  t.strictSame(
    lists,
    ['/one,/one/', '/two,/two/'].map(list => lists.find(found => found.startsWith(list.slice(0, 4)))),
  )
  t.equal(app.hasDecorator('oauth'), false)
})

t.test('rejects invalid rules', async t => {
  const cases: [config: unknown, message: RegExp][] = [
    [{ oauth: { scope: ['read'] } }, /no option `config\.oauth\.scope`; did you mean `scopes`\?/],
    [{ oauth: { anyOf: ['read'] } }, /no option `config\.oauth\.anyOf`; did you mean `scopes`\?/],
    [{ oauth: { permissions: ['read'] } }, /did you mean `roles`\?/],
    [{ oauth: { colour: 'red' } }, /no option `config\.oauth\.colour`$/],
    [{ oauth: undefined }, /config\.oauth is undefined \(is the name of the rule misspelt\?\)/],
    ...['scopes', 'match', 'roles', 'audience', 'dpop', 'acr', 'maxAgeMs', 'optional'].map(
      (key): [unknown, RegExp] => [
        { oauth: { [key]: undefined } },
        new RegExp(
          `config\\.oauth\\.${key} is undefined \\(is its name misspelt\\?\\); set a value, or remove`,
        ),
      ],
    ),
    [{ oauth: { scopes: [undefined] } }, /`config\.oauth\.scopes\[0\]` is undefined/],
    [{ oauth: { roles: [] } }, /`config\.oauth\.roles` is \[\]; expected a list of at least one role/],
    [{ oauth: { roles: 'Clerk' } }, /`config\.oauth\.roles` is "Clerk"/],
    [{ oauth: { roles: ['Clerk'], match: 'any' } }, /match without scopes/],
    [{ oath: { scopes: ['read'] } }, /config\.oath has no effect; did you mean config\.oauth\?/],
    [{ auth: 'jwt' }, /config\.auth has no effect; .*If another plugin reads it, set config\.oauth as well/],
    [{ oauth: { scopes: [] } }, /one or more scopes/],
    [{ oauth: { scopes: 'read' } }, /one or more scopes/],
    [{ oauth: { scopes: ['read write'] } }, /scopes\[0\]` is "read write"; .*without spaces/],
    [{ oauth: { scopes: ['raed'] } }, /did you mean "read"/],
    [{ oauth: { match: 'any' } }, /without scopes/],
    [{ oauth: { scopes: ['read'], match: 'some' } }, /'all' or 'any'/],
    [{ oauth: { audience: 'https://other.example.com' } }, /not in the option `audience`/],
    [{ oauth: true }, /expected an object/],
    [{ oauth: null }, /expected an object/],
    [{ oauth: [] }, /expected an object/],
    [{ oauth: { optional: 'yes' } }, /true or false/],
  ]
  for (const [config, message] of cases) {
    const app = buildApp(t)
    await app.register(resourceServer, registered)
    t.throws(
      () => app.get('/', { config: config as never }, async () => 'in'),
      {
        code: 'OAUTH_INVALID_ROUTE',
        message,
      },
      inspect(config),
    )
  }
})

t.test('rejects an explicitly undefined rule', async t => {
  const rules: Readonly<Record<string, { readonly scopes: readonly ['read'] }>> = {}
  const { plugin, protect } = defineResourceServer({ scopes: ['read'] })
  const app = buildApp(t)
  await app.register(plugin, registered)
  const declare = (config: object) => () => void app.get('/read', { config }, async () => 'in')
  t.throws(declare(protect(rules['misspelt'] as { scopes: ['read'] })), {
    message: /undefined \(is the name of the rule misspelt\?\)/,
  })
  t.throws(() => app.oauth.authenticate(rules['misspelt']), {
    code: 'OAUTH_INVALID_ROUTE',
    message: /oauth\.authenticate: the rule is undefined .*or no argument/,
  })
  t.doesNotThrow(declare(protect()))
  t.type(app.oauth.authenticate(), 'function')
})

t.test('limits the length of lists that challenges contain', async t => {
  const app = buildApp(t)
  await app.register(resourceServer, registered)
  const many = Array.from({ length: 300 }, (_, index) => `scope-${index}`)
  for (const [name, rule] of Object.entries({ scopes: { scopes: many }, acr: { acr: many } }))
    t.throws(() => app.get('/', { config: { oauth: rule as never } }, async () => 'in'), {
      code: 'OAUTH_INVALID_ROUTE',
      message: new RegExp(`GET /: config\\.oauth\\.${name} has 2889 characters in total.*at most 2048`),
    })
})

t.test('rejects a rule whose getter throws, naming the member', async t => {
  const app = buildApp(t)
  await app.register(resourceServer, registered)
  for (const thrown of [null, undefined, 0, new Error('vault')]) {
    const oauth = Object.defineProperty({}, 'scopes', {
      enumerable: true,
      get() {
        throw thrown
      },
    })
    t.throws(() => app.get('/', { config: { oauth } }, async () => 'in'), {
      code: 'OAUTH_INVALID_ROUTE',
      message: /GET \/: option `config\.oauth\.scopes` cannot be read/,
    })
  }
})

t.test('ignores similar names of other plugins if config.oauth is set', async t => {
  const app = buildApp(t)
  await app.register(resourceServer, registered)
  app.get('/', { config: { auth: 'jwt', oauth: false } as object }, async () => 'in')
  t.equal((await app.inject('/')).statusCode, 200)
})
