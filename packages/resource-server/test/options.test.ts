import { inspect } from 'node:util'
import resourceServer from 'fastify-resource-server'
import t, { type Test } from 'tap'
import { Agent } from 'undici'
import { z } from 'zod'
import { makeCertificate } from 'test-support/certificate'
import { audience, buildApp, registered } from './protected-app.js'

const { issuer } = registered
const hour = 3_600_000

type Case = [options: object, message: RegExp]

/** Registers options on top of valid ones. */
const register = async (t: Test, options: object): Promise<void> => {
  await buildApp(t).register(resourceServer, { ...registered, ...options } as never)
}

async function refuses(t: Test, cases: readonly Case[]): Promise<void> {
  for (const [options, message] of cases)
    await t.rejects(
      register(t, options),
      { code: 'OAUTH_INVALID_OPTION', message },
      `${inspect(options, { depth: 2, breakLength: Infinity }).slice(0, 120)} ${String(message)}`,
    )
}

const { cert: ca } = await makeCertificate('localhost')

t.test('validates the options of an issuer', async t => {
  await refuses(t, [
    [
      { issuer: undefined },
      /`issuer` is undefined \(is the environment variable set\?\); expected an absolute/,
    ],
    [{ issuer: '' }, /`issuer` is empty/],
    [{ issuer: 10n }, /`issuer` is 10;/],
    [{ issuer: 'login.example.com' }, /`issuer` is "login\.example\.com"; expected an absolute URL/],
    [{ issuer: 'http://login.example.com' }, /expected an https URL, or an http URL on localhost/],
    [{ issuer: 'https://login.example.com#a' }, /without a query or fragment/],
    [{ issuer: `${issuer}\n` }, /`issuer` is "https:\/\/login\.example\.com\\n"/],
    [{ issuer: 'ftp://login.example.com', allowInsecureHttp: true }, /expected an http or https URL/],
    [
      { issuer: 'https://login.example.com/{tenantid}', keys: undefined },
      /is a template .* set `jwksUri` or/,
    ],
    [
      { audience: undefined },
      /`audience` is undefined \(is the environment variable set\?\).*for other services/,
    ],
    [{ audience: [] }, /`audience` is \[\]; expected the audience of the tokens/],
    [{ audience: [audience, ''] }, /`audience\[1\]` is ""/],
    [{ audience: ' https://api.example.com' }, /`audience` is " https:/],
    [{ audience: { uri: audience } }, /`audience` is \{ uri \}/],
    [{ profile: 'azure' }, /`profile` is "azure"; expected 'rfc9068', 'entra', .* or 'generic'/],
    [{ profile: 'jwt' }, /`profile` is "jwt"/],
    [{ profile: undefined }, /`profile` is undefined .*, or leave it out/],
    [{ jwksUri: 'http://keys.example.com/jwks' }, /`jwksUri`.*https/],
    [{ jwksUri: 'file:///jwks', allowInsecureHttp: true }, /`jwksUri` is "file:.* an http or https URL/],
    [{ jwksUri: 'https://keys.example.com/jwks' }, /`jwksUri` has no effect with `keys`/],
    [{ metadataUrl: 'https://login.example.com/meta' }, /`metadataUrl` has no effect with `keys`/],
    [
      { keys: undefined, jwksUri: 'https://a.example.com/', metadataUrl: 'https://a.example.com/meta' },
      /`metadataUrl` has no effect with `jwksUri`/,
    ],
    [{ issuerDispatcher: new Agent() }, /`issuerDispatcher` has no effect with `keys`/],
    [{ ca }, /`ca` has no effect with `keys`/],
    [
      { issuerTimeoutMs: 1_000 },
      /`issuerTimeoutMs` has no effect with `keys`, because the plugin then sends no requests/,
    ],
    [{ jwksMaxAgeMs: 60_000 }, /`jwksMaxAgeMs` has no effect with `keys`/],
    [{ jwksStaleIfErrorMs: 0 }, /`jwksStaleIfErrorMs` has no effect with `keys`/],
    [{ unknownKeyCooldownMs: 0 }, /`unknownKeyCooldownMs` has no effect with `keys`/],
    [{ metadataUrl: '/.well-known' }, /`metadataUrl` is "\/\.well-known"/],
    [{ keys: [] }, /`keys` is \[\]; expected a list of public keys as JWKs/],
    [{ keys: [null] }, /JWKs/],
    [{ keys: { keys: [] } }, /`keys` is \{ keys \}/],
    [
      { keys: [{ kty: 'oct', k: 'AAAA' }] },
      /`keys` contains no key for https:.* the JWK member `kty` is not RSA, EC, OKP or AKP/,
    ],
    [{ keys: registered.keys, algorithms: ['RS256'] }, /the key cannot be used with any allowed algorithm/],
    [{ algorithms: ['HS256'] }, /`algorithms\[0\]` is "HS256"; expected only asymmetric algorithms/],
    [{ algorithms: ['none'] }, /only asymmetric/],
    [{ algorithms: [] }, /`algorithms` is \[\]/],
    [{ algorithms: undefined }, /`algorithms` is undefined/],
    [{ requiredClaims: 'tenant' }, /`requiredClaims` is "tenant"; expected a list/],
    [{ issuers: [{ issuer, audience }] }, /`issuer` cannot be combined with `issuers`/],
  ])
})

t.test('several issuers', async t => {
  const alone = { issuer: undefined, audience: undefined, keys: undefined }
  await refuses(t, [
    [{ ...alone, issuers: [] }, /`issuers` is \[\]; expected a list/],
    [{ ...alone, issuers: ['https://login.example.com'] }, /`issuers\[0\]` is "https:.*; expected an object/],
    [{ ...alone, issuers: [{ issuer }] }, /`issuers\[0\]\.audience` is missing/],
    [
      { ...alone, issuers: [{ issuer, audience, domain: 'a' }] },
      /`issuers\[0\]\.domain`; did you mean `issuer`/,
    ],
    [
      { ...alone, issuers: [1, 2].map(() => ({ issuer, audience })) },
      /lists https:\/\/login\.example\.com twice/,
    ],
  ])
})

t.test('validates numbers, times and booleans', async t => {
  await refuses(t, [
    [
      { clockToleranceMs: -1 },
      /`clockToleranceMs` is -1; expected a number of milliseconds from 0 to 600000/,
    ],
    [{ clockToleranceMs: '5s' }, /is "5s"/],
    [{ clockToleranceMs: Infinity }, /is Infinity/],
    [{ clockToleranceMs: NaN }, /is NaN/],
    [{ clockToleranceMs: hour }, /is 3600000/],
    [{ maxTokenAgeMs: 999 }, /`maxTokenAgeMs` is 999/],
    [{ jwksMaxAgeMs: 0 }, /`jwksMaxAgeMs` is 0; expected a number of milliseconds from 1000 to 86400000/],
    [{ jwksStaleIfErrorMs: Infinity }, /`jwksStaleIfErrorMs` is Infinity/],
    [{ unknownKeyCooldownMs: 2 * hour }, /`unknownKeyCooldownMs`/],
    [{ issuerTimeoutMs: 0 }, /`issuerTimeoutMs` is 0; expected a number of milliseconds from 1 to 120000/],
    [{ maxCachedTokens: 1.5 }, /expected a whole number from 0 to 1000000/],
    [{ maxCachedTokens: 1_000_001 }, /`maxCachedTokens` is 1000001/],
    [{ prefetch: true }, /`prefetch` is true; expected 'background', 'required' or 'lazy'/],
    [{ defaultAccess: 'deny' }, /`defaultAccess` is "deny"; expected 'protected', 'explicit' or 'public'/],
    [{ problemDetails: 'yes' }, /`problemDetails` is "yes"; expected true or false/],
    [{ allowInsecureHttp: 'true' }, /`allowInsecureHttp` is "true"/],
    [{ verifyInThreadPool: 1 }, /`verifyInThreadPool` is 1/],
    [{ clock: 5 }, /`clock` is 5; expected a function/],
    [{ clock: () => undefined }, /`clock` returns undefined/],
    [{ clock: () => Number.NaN }, /`clock` returns NaN/],
  ])
})

t.test('validates all other options', async t => {
  await refuses(t, [
    [{ scopes: [] }, /`scopes` is \[\]; expected a list of one or more scopes/],
    [{ scopes: undefined }, /`scopes` is undefined/],
    [{ scopes: ['read write'] }, /`scopes\[0\]` is "read write"/],
    [{ realm: 'é' }, /`realm` is "é"; expected a string of at most 256 printable ASCII/],
    [
      { realm: 'r'.repeat(257) },
      /`realm` is "r+…; expected a string of at most 256 printable ASCII characters/,
    ],
    [{ realm: 'r'.repeat(1_000_000) }, /`realm` is 1000000 characters long/],
    [{ audience: 'a'.repeat(3_000) }, /`audience` is 3000 characters long; expected at most 2048/],
    [{ scopes: ['s'.repeat(3_000)] }, /`scopes\[0\]` is 3000 characters long/],
    [
      { resourceMetadata: { resource: `https://api.example.com/${'r'.repeat(500)}` } },
      /524 characters long; expected at most 512/,
    ],
    [
      { audience: `https://api.example.com/${'r'.repeat(500)}`, resourceMetadata: true },
      /524 characters long/,
    ],
    [{ issuerDispatcher: {} }, /`issuerDispatcher` is not a dispatcher from undici 7/],
    [{ ca: 'PEM' }, /`ca` is text; expected a certificate in PEM format/],
    [{ dpop: [] }, /`dpop` is \[\]/],
    [{ resourceMetadata: [] }, /`resourceMetadata` is \[\]/],
    [{ claims: undefined }, /`claims` is undefined/],
    [{ claims: [] }, /`claims` is \[\]/],
    [{ claims: {} }, /`claims` is \{\}; expected a JSON Schema/],
    [{ claims: { tenant: { type: 'string' } } }, /`claims` is \{ tenant \}; expected a JSON Schema/],
    [{ claims: z.object({ tenant: z.string() }) }, /`claims` .* a JSON Schema.* z\.toJSONSchema/],
  ])
  const twice = buildApp(t)
  await twice.register(resourceServer, registered)
  await t.rejects(async () => twice.register(resourceServer, registered), /sibling scopes/)
})

t.test('does not start if the getter or function of an option throws anything', async t => {
  for (const thrown of [null, undefined, 0, '', false, 'text', new Error('GET https://vault')]) {
    const fail = (): never => {
      throw thrown
    }
    const getters = [
      'issuer',
      'audience',
      'scopes',
      'introspection',
      'issuers',
      'allowInsecureHttp',
      'prefetch',
    ]
    const alone = { issuer: undefined, audience: undefined, keys: undefined }
    const cases: [name: string, options: object][] = [
      ...getters.map((name): [string, object] => [
        name,
        Object.defineProperty({}, name, { enumerable: true, get: fail }),
      ]),
      ['clock', { clock: fail }],
      ['dpop.nonce', { dpop: Object.defineProperty({}, 'nonce', { enumerable: true, get: fail }) }],
      ['scopes', { scopes: Object.defineProperty({}, 'read', { enumerable: true, get: fail }) }],
      ['issuers', { ...alone, issuers: Object.defineProperty([1], 0, { enumerable: true, get: fail }) }],
      ['issuers[0]', { ...alone, issuers: [new Proxy({}, { ownKeys: fail })] }],
      ['issuers', { ...alone, issuers: [new Proxy({}, { getPrototypeOf: fail })] }],
      ['keys', { keys: [Object.defineProperty({}, 'kty', { enumerable: true, get: fail })] }],
    ]
    for (const [name, options] of cases) {
      const app = buildApp(t)
      const given = Object.defineProperties({ ...registered }, Object.getOwnPropertyDescriptors(options))
      const error: unknown = await Promise.resolve(app.register(resourceServer, given)).then(
        () => 'it starts',
        (reason: unknown) => reason,
      )
      t.match(error, { code: 'OAUTH_INVALID_OPTION' }, `${name} ${String(thrown)}`)
      t.match((error as Error).message, `option \`${name}\``)
      t.notMatch((error as Error).message, 'vault')
    }
  }
})

t.test('rejects unknown names and suggests the right one', async t => {
  const names: [name: string, meant: string | undefined][] = [
    ['audiance', 'audience'],
    ['issuerBaseURL', 'issuer'],
    ['domain', 'issuer'],
    ['jwks_uri', 'jwksUri'],
    ['jwksUrl', 'jwksUri'],
    ['scope', 'scopes'],
    ['algorithm', 'algorithms'],
    ['dispatcher', 'issuerDispatcher'],
    ['clockTolerance', 'clockToleranceMs'],
    ['colour', undefined],
  ]
  await refuses(
    t,
    names.map(([name, meant]) => [
      { [name]: 'x' },
      new RegExp(
        `there is no option \`${name}\`${meant === undefined ? '' : `; did you mean \`${meant}\`\\?`}$`,
      ),
    ]),
  )
})

t.test('shows no secret in errors, and formats values that are not JSON', async t => {
  const round: unknown[] = []
  round.push(round)
  const hidden = 'hunter2'
  const cases: object[] = [
    { issuers: [], introspection: { clientId: 'api', clientSecret: hidden } },
    { issuers: { clientSecret: hidden } },
    { audience: [{ clientSecret: hidden }] },
    { audience: round },
    { issuer: `https://user:${hidden}@login.example.com` },
    { jwksUri: `https://user:${hidden}@keys.example.com/jwks` },
    { metadataUrl: `ftp://${hidden}@login.example.com` },
    { introspection: { clientId: 'api', clientSecret: [hidden] } },
    { introspection: { clientId: 'api', clientSecret: hidden, endpoint: `https://a:${hidden}@b` } },
    { dpop: { nonceSecret: hidden } },
    { ca: hidden },
  ]
  for (const options of cases) {
    const error = await register(t, options).then(
      () => new Error('accepted'),
      (reason: Error) => reason,
    )
    t.match(error, { code: 'OAUTH_INVALID_OPTION' }, inspect(options))
    t.notMatch(error.message, hidden, inspect(options))
  }
})

t.test('accepts undefined where it means the default', async t => {
  await t.resolves(
    register(t, {
      clockToleranceMs: undefined,
      problemDetails: undefined,
      issuerDispatcher: undefined,
      clock: undefined,
      introspection: undefined,
      logLevel: 'warn',
      keys: undefined,
      prefetch: 'lazy',
      ca,
    }),
  )
})

t.test('rejects undefined where it would disable a protection', async t => {
  for (const name of ['dpop', 'clientCertificate'])
    await t.rejects(register(t, { [name]: undefined }), {
      message: new RegExp(`\`${name}\` is undefined \\(is the environment variable set\\?\\)`),
    })
})
