import { inspect } from 'node:util'
import fastify from 'fastify'
import tokenClient, { createTokenClient, type TokenClientOptions } from 'fastify-token-client'
import t from 'tap'
import { parseOptions } from '#src/options/settings.js'

const valid = {
  baseUrl: 'https://receipts.example.com',
  issuer: 'https://login.example.com',
  clientId: 'payment',
  clientSecret: 'the secret',
}

const create = (options: object) => () => createTokenClient({ ...valid, ...options } as TokenClientOptions)

t.test('invalid options are rejected with the option, the value and the expected value', async t => {
  const insecure = { allowInsecureHttp: true }
  const cases: [options: object, message: RegExp][] = [
    [{ issuer: 'ftp://login.example.com', ...insecure }, /`issuer` is "ftp:.*expected an http or https URL/],
    [
      { issuer: 'https://login.example.com?a=b' },
      /`issuer` is "https:\/\/login\.example\.com\?…"; .*without a query/,
    ],
    [{ issuer: undefined }, /`issuer` is undefined \(is the environment variable set\?\)/],
    [{ tokenEndpoint: 'http://login.example.com/token' }, /`tokenEndpoint`.*expected an https URL/],
    [{ metadataUrl: 'login.example.com' }, /`metadataUrl` is "login\.example\.com"/],
    [
      { metadataUrl: valid.issuer, tokenEndpoint: 'https://login.example.com/token' },
      /`metadataUrl` has no effect with `tokenEndpoint`/,
    ],
    [{ baseUrl: 'https://receipts.example.com?a=b' }, /`baseUrl`.*without a query or fragment/],
    ...['/..%2f', '/v1/..%2f43', '/v1/%2e%2e/', '/a/..%252fb', '/v1/..\\x', '/v1/..;/x', '/v1/../v2'].map(
      (path): [object, RegExp] => [
        { baseUrl: `https://receipts.example.com${path}` },
        /`baseUrl` is "https:.*; expected a path without `\.\.` segments in any encoding/,
      ],
    ),
    [{ clientId: 'c'.repeat(3_000) }, /`clientId` is 3000 characters long; expected at most 2048/],
    [{ parameters: { scope: 'a' } }, /`parameters` has `scope`, which the client sets itself; use `scopes`/],
    [{ parameters: { a: Symbol('s') } }, /`parameters` is \{ a \}; expected an object of strings/],
    [{ clientId: '' }, /`clientId` is ""; expected the client id registered with/],
    [{ clientId: undefined }, /`clientId` is undefined/],
    [{ clientSecret: '' }, /`clientSecret` is empty; .*is the environment variable set\?/],
    [{ clientSecret: 'the secret\n' }, /`clientSecret` is text that begins or ends with a line break/],
    [{ profile: 'standard' }, /`profile` is "standard"; expected 'rfc9068', 'entra'/],
    [{ clientAuthentication: 'self_signed_tls_client_auth' }, /`clientAuthentication` is "self_signed/],
    [{ scopes: 'receipts:read' }, /`scopes` is "receipts:read"; expected a list/],
    [{ scopes: undefined }, /`scopes` is undefined/],
    [{ resource: [] }, /`resource` is \[\]/],
    [{ audience: undefined }, /`audience` is undefined/],
    [{ parameters: { a: 1 } }, /`parameters` is \{ a \}; expected an object of strings/],
    [{ parameters: new URLSearchParams('a=b') }, /`parameters` is an instance of URLSearchParams; expected/],
    [{ parameters: Promise.resolve({ a: 'b' }) }, /`parameters` is a Promise/],
    [{ interceptors: new Map([['retry', true]]) }, /`interceptors` is an instance of Map/],
    [
      { interceptors: { retry: { maxRetries: -1 } } },
      /`interceptors\.retry\.maxRetries` is -1; expected a whole/,
    ],
    [{ interceptors: { retry: { maxRetries: NaN } } }, /`interceptors\.retry\.maxRetries` is NaN/],
    [
      { interceptors: { retry: { maxRetrys: 1 } } },
      /no option `interceptors\.retry\.maxRetrys`; did you mean `maxRetries`/,
    ],
    [
      { interceptors: { retry: { timeoutFactor: 0 } } },
      /timeoutFactor` is 0; expected a number from 1 to 100/,
    ],
    [{ interceptors: { retry: { minTimeout: Infinity } } }, /minTimeout` is Infinity/],
    [
      { interceptors: { retry: { statusCodes: [503, '504'] } } },
      /statusCodes` is \[503, "504"\]; expected a list of status/,
    ],
    [{ interceptors: { retry: new Map() } }, /`interceptors\.retry` is an instance of Map/],
    [{ interceptors: { retry: Promise.resolve({}) } }, /`interceptors\.retry` is a Promise/],
    [{ interceptors: { redirect: { maxRedirections: -1 } } }, /redirect\.maxRedirections` is -1/],
    [{ interceptors: { dns: { affinity: 5 } } }, /dns\.affinity` is 5; expected 4 or 6/],
    [{ interceptors: { dns: { lookup: 'x' } } }, /dns\.lookup` is "x"; expected a function/],
    [{ interceptors: { cache: { type: 'public' } } }, /cache\.type` is "public"/],
    [{ interceptors: { cache: { store: {} } } }, /cache\.store` is not a cache store from undici/],
    [{ interceptors: { decompress: { maxSize: -1 } } }, /decompress\.maxSize` is -1/],
    [{ interceptors: { unknown: true } }, /no option `interceptors\.unknown`/],
    [{ renewAfter: 1 }, /`renewAfter` is 1; expected a number between 0 and 1/],
    [{ issuerTimeoutMs: 0 }, /`issuerTimeoutMs` is 0; expected a number of milliseconds from 1 to 120000/],
    [{ dispatcher: {} }, /`dispatcher` is not a dispatcher from undici 7/],
    [{ issuerDispatcher: null }, /`issuerDispatcher` is not a dispatcher from undici 7/],
    [{ interceptors: [] }, /`interceptors` is \[\]/],
    [{ name: 'receipts' }, /`name` is only for `register`/],
    [{ prefetch: 'required' }, /`prefetch` is only for `register`/],
    [{ random: () => 1 }, /no option `random`$/],
    [{ tokenStore: null }, /`tokenStore` is null; expected an object such as/],
    [
      { tokenStore: { store: {}, encryptionKeys: 'none' } },
      /`tokenStore\.store` is not a store with the methods get, set/,
    ],
  ]
  for (const [options, message] of cases)
    t.throws(create(options), { code: 'TOKEN_CLIENT_INVALID_OPTION', message }, inspect(options))
})

t.test('options of interceptors are passed to undici unchanged', async t => {
  for (const interceptors of [
    { retry: { maxRetries: 0, statusCodes: [], methods: ['GET' as const] }, dns: true, cache: false },
    {
      retry: { timeoutFactor: 1.5, retryAfter: false },
      redirect: { maxRedirections: 0 },
      dns: { affinity: 4 as const },
    },
    { cache: { methods: ['GET' as const], type: 'private' as const, origins: [/x/, 'https://a.example'] } },
  ]) {
    const settings = parseOptions({ ...valid, interceptors }, 'client')
    t.strictSame({ ...settings.interceptors }, { ...settings.interceptors, ...interceptors })
  }
})

t.test('unknown names are errors that suggest the correct name', async t => {
  const names: [name: string, meant: string | undefined][] = [
    ['client_id', 'clientId'],
    ['client_secret', 'clientSecret'],
    ['secret', 'clientSecret'],
    ['scope', 'scopes'],
    ['issuerBaseURL', 'issuer'],
    ['authority', 'issuer'],
    ['tenantId', 'issuer'],
    ['tokenURL', 'tokenEndpoint'],
    ['token_endpoint', 'tokenEndpoint'],
    ['tokenTimeoutMs', 'issuerTimeoutMs'],
    ['colour', undefined],
  ]
  for (const [name, meant] of names) {
    const hint = meant === undefined ? '' : `; did you mean \`${meant}\`\\?`
    t.throws(create({ [name]: 'x' }), { message: new RegExp(`no option \`${name}\`${hint}$`) }, name)
  }
})

t.test('no error contains a secret', async t => {
  const hidden = 'hunter2'
  const cases: object[] = [
    { issuer: `https://user:${hidden}@login.example.com` },
    { baseUrl: `https://user:${hidden}@api.example.com:x` },
    { tokenEndpoint: `ftp://${hidden}@login.example.com` },
    { metadataUrl: `https://login.example.com:x?key=${hidden}` },
    { clientSecret: [hidden] },
    { clientSecret: `${hidden}\n` },
    { privateKey: hidden },
    { certificate: hidden },
    { ca: hidden },
    { tokenStore: { store: {}, encryptionKeys: [hidden] } },
    { clientAssertion: { assertion: hidden } },
  ]
  for (const options of cases)
    try {
      create(options)()
      t.fail(`accepted: ${inspect(options)}`)
    } catch (error) {
      t.notMatch(String(error), hidden, inspect(options))
    }
})

const thrown: readonly unknown[] = [null, undefined, 0, '', false, 'text', new Error('GET https://vault')]

t.test('the error for an option whose getter or function throws names the option', async t => {
  for (const value of thrown) {
    const fail = (): never => {
      throw value
    }
    const getter = (name: string, inner = {}): object =>
      Object.defineProperty(inner, name, { enumerable: true, get: fail })
    const cases: [name: string, options: object][] = [
      ...['baseUrl', 'issuer', 'scopes', 'api', 'dispatcher', 'allowInsecureHttp', 'privateKey'].map(
        (name): [string, object] => [name, getter(name)],
      ),
      ['clock', { clock: fail }],
      ['dpop', { dpop: getter('privateKey') }],
      ['interceptors.retry', { interceptors: getter('retry') }],
      ['parameters.a', { parameters: getter('a') }],
      ['tokenStore.store', { tokenStore: { store: getter('get'), encryptionKeys: 'none' } }],
      ['api', { api: getter('audience') }],
      ['api', { api: { audience: 'a', scopes: [], operations: {}, over: fail } }],
      ['dispatcher', { dispatcher: getter('dispatch') }],
    ]
    for (const [name, options] of cases) {
      const given = Object.defineProperties({ ...valid }, Object.getOwnPropertyDescriptors(options))
      const app = fastify()
      t.teardown(() => app.close())
      const register = async () =>
        app.register(
          tokenClient,
          Object.defineProperties({ name: 'receipts' }, Object.getOwnPropertyDescriptors(given)) as never,
        )
      const create = async () => createTokenClient(given)
      for (const start of [create, register]) {
        const error: unknown = await start().then(
          () => 'it starts',
          (reason: unknown) => reason,
        )
        t.match(error, { code: 'TOKEN_CLIENT_INVALID_OPTION' }, `${name} ${String(value)}`)
        t.match((error as Error).message, `option \`${name}\``)
        t.notMatch((error as Error).message, 'vault')
        t.equal((error as Error).cause, value)
      }
    }
  }
  for (const [name, shown] of [
    [7n, '7'],
    [Symbol('s'), 'Symbol(s)'],
    [undefined, 'undefined'],
  ] as const)
    await t.rejects(async () => fastify().register(tokenClient, { ...valid, name } as never), {
      message: `fastify-token-client: option \`name\` is ${shown}; expected the name of the decorator, such as 'receipts' for app.receipts`,
    })
})

t.test('register accepts name, prefetch and the options of Fastify', async t => {
  const app = fastify()
  t.teardown(() => app.close())
  await app.register(tokenClient, {
    ...valid,
    name: 'receipts',
    prefetch: 'lazy',
    prefix: '/a',
    logLevel: 'warn',
  })
  t.ok(app.hasDecorator('receipts'))
})
