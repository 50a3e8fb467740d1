import fastify from 'fastify'
import resourceServer from 'fastify-resource-server'
import t from 'tap'
import { audience } from './protected-app.js'
import { makeKey } from './hand-made-issuer.js'

const key = makeKey('first')
const issuer = 'https://login.example.com'
const registered = { issuer, audience, keys: [key.jwk], scopes: ['read'] }

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
    [{ keysKeepMs: Infinity }, /finite/],
    [{ clockToleranceMs: NaN }, /finite/],
    [{ cacheSize: 1.5 }, /whole number/],
    [{ keysKeepMs: 10 }, /at least keysMaxAgeMs/],
    [{ scopes: [] }, /at least one name/],
    [{ keys: [] }, /JWKs/],
    [{ keys: [null] }, /JWKs/],
    [{ keys: [{ kty: 'oct', k: 'AAAA' }] }, /`keys` has no key for https:.* its kty is not RSA, EC or OKP/],
    [{ keys: [key.jwk], algorithms: ['RS256'] }, /no allowed algorithm fits it/],
    [{ issuers: [{ issuer, audience }] }, /exclude each other/],
    [{ dispatcher: {} }, /undici 7/],
    [{ clock: 5 }, /function/],
    [{ clock: () => undefined }, /`clock` is a function that returns undefined/],
    [{ clock: () => Number.NaN }, /`clock` is a function that returns NaN/],
    [{ jwksUri: 'http://keys.example.com/jwks' }, /https/],
    [{ realm: 'é' }, /ASCII/],
  ]
  for (const [options, message] of cases) {
    const app = fastify()
    await t.rejects(async () => app.register(resourceServer, { ...registered, ...options } as never), {
      code: 'OAUTH_INVALID_OPTION',
      message,
    })
  }
  const twice = fastify()
  await twice.register(resourceServer, registered)
  await t.rejects(async () => twice.register(resourceServer, registered), /sibling scopes/)
  await twice.close()
})
