import resourceServer from 'fastify-resource-server'
import t from 'tap'
import { z } from 'zod'
import { audience, buildApp, registered } from './protected-app.js'

const { issuer } = registered

t.test('no error shows what may be secret, or fails at a value that is no JSON', async t => {
  const round: unknown[] = []
  round.push(round)
  const none = { issuer: undefined, audience: undefined, keys: undefined }
  const introspection = { clientId: 'api', clientSecret: 'hunter2' }
  const cases: [options: object, message: RegExp][] = [
    [{ ...none, issuers: [], introspection }, /`introspection` is \{ clientId, clientSecret \}/],
    [{ ...none, issuers: introspection }, /`issuers` is \{ clientId, clientSecret \}/],
    [{ audience: [introspection] }, /`audience` is \[\{ clientId, clientSecret \}\]/],
    [{ audience: round }, /`audience` is \[/],
  ]
  for (const [options, message] of cases)
    await t.rejects(
      async () => buildApp(t).register(resourceServer, { ...registered, ...options } as never),
      {
        code: 'OAUTH_INVALID_OPTION',
        message,
      },
    )
})

t.test('wrong options fail register, naming option, value and fix', async t => {
  const cases: [options: object, message: RegExp][] = [
    [{ issuer: undefined }, /`issuer` is undefined; it wants/],
    [{ issuer: 'login.example.com' }, /`issuer` is "login\.example\.com"/],
    [{ issuer: 'http://login.example.com' }, /https/],
    [{ audience: undefined }, /`audience` is undefined.*tokens for other services would pass/],
    [{ audience: [] }, /`audience` is \[\]/],
    [{ audiance: 'x' }, /no option `audiance` \(did you mean "audience"\?\)/],
    [{ algorithms: ['HS256'] }, /only asymmetric/],
    [{ algorithms: ['none'] }, /only asymmetric/],
    [{ profile: 'azure' }, /one of rfc9068, entra/],
    [{ clockToleranceMs: -1 }, /milliseconds/],
    [{ clockToleranceMs: '5s' }, /milliseconds/],
    [{ clockToleranceMs: Infinity }, /finite/],
    [{ jwksStaleIfErrorMs: Infinity }, /finite/],
    [{ clockToleranceMs: NaN }, /finite/],
    [{ maxCachedTokens: 1.5 }, /whole number/],
    [{ prefetch: true }, /`prefetch` is true; it wants 'background', 'required' or 'lazy'/],
    [{ scopes: [] }, /at least one name/],
    [{ keys: [] }, /JWKs/],
    [{ keys: [null] }, /JWKs/],
    [{ keys: [{ kty: 'oct', k: 'AAAA' }] }, /`keys` has no key for https:.* its kty is not RSA, EC or OKP/],
    [{ keys: registered.keys, algorithms: ['RS256'] }, /no allowed algorithm fits it/],
    [{ issuers: [{ issuer, audience }] }, /exclude each other/],
    [{ issuerDispatcher: {} }, /undici 7/],
    [{ clock: 5 }, /function/],
    [{ clock: () => undefined }, /`clock` is a function that returns undefined/],
    [{ clock: () => Number.NaN }, /`clock` is a function that returns NaN/],
    [{ jwksUri: 'http://keys.example.com/jwks' }, /https/],
    [{ realm: 'é' }, /ASCII/],
    [{ issuer: 10n }, /`issuer` is 10;/],
    [
      { issuer: `${issuer}\n` },
      /`issuer` is "https:\/\/login\.example\.com\\n"; it wants .* without white space/,
    ],
    [{ audience: ' https://api.example.com' }, /`audience` is " https.* without white space/],
    [
      { issuer: 'ftp://login.example.com', allowInsecureHttp: true },
      /`issuer` is "ftp:.* an http or https URL/,
    ],
    [{ jwksUri: 'file:///jwks', allowInsecureHttp: true }, /`jwksUri` is "file:.* an http or https URL/],
    [{ jwksUri: 'https://keys.example.com/jwks' }, /`jwksUri` does nothing beside `keys`/],
    [
      { maxCachedTokens: 1_000_001 },
      /`maxCachedTokens` is 1000001; it wants a whole number from 0 to 1000000/,
    ],
    [{ scopes: ['read write'] }, /`scopes` has "read write", which is no scope/],
    [{ dpop: [] }, /`dpop` is \[\]/],
    [{ resourceMetadata: [] }, /`resourceMetadata` is \[\]/],
    [{ claims: [] }, /`claims` is \[\]/],
    [{ claims: {} }, /`claims` is \{\}; it wants a JSON Schema/],
    [{ claims: { tenant: { type: 'string' } } }, /`claims` is \{ tenant \}; it wants a JSON Schema/],
    [{ claims: z.object({ tenant: z.string() }) }, /`claims` .* a JSON Schema.* z\.toJSONSchema/],
  ]
  for (const [options, message] of cases) {
    await t.rejects(
      async () => buildApp(t).register(resourceServer, { ...registered, ...options } as never),
      {
        code: 'OAUTH_INVALID_OPTION',
        message,
      },
    )
  }
  const twice = buildApp(t)
  await twice.register(resourceServer, registered)
  await t.rejects(async () => twice.register(resourceServer, registered), /sibling scopes/)
})
