import { inspect } from 'node:util'
import t from 'tap'
import { createTestIssuer, expectProtected } from 'oauth-test-issuer'

for (const [options, message] of [
  [{ audiense: 'a' }, /createTestIssuer\(\): there is no option `audiense`; did you mean `audience`\?/],
  [{ profile: 'azure' }, /option `profile` is "azure"; expected 'rfc9068', 'entra', .* or 'okta'/],
  [{ algorithm: 'HS256' }, /option `algorithm` is "HS256"; expected 'ES256'/],
  [{ expiresInMs: 300 }, /option `expiresInMs` is 300; expected a number of milliseconds from 1000/],
  [{ expiresInMs: Number('5m') }, /option `expiresInMs` is NaN; expected a number of milliseconds/],
  [{ audience: [''] }, /option `audience\[0\]` is ""; expected the identifier of an API/],
  [{ audience: [undefined] }, /option `audience\[0\]` is undefined; expected/],
  [{ clients: { clientId: 'a' } }, /option `clients` is \{ clientId \}; expected a list/],
  [{ listen: 'no' }, /option `listen` is "no"; expected true or false/],
  [{ clock: 5 }, /option `clock` is 5; expected a function/],
  [{ port: 70_000 }, /option `port` is 70000; expected a whole number from 0 to 65535/],
  [{ origin: 'https://a.test/path' }, /option `origin` is .*without a path/],
  [
    { clients: [{ clientId: 'a' }] },
    /client a: option `audience` is missing; expected the identifier of an API/,
  ],
  [{ clients: [null] }, /registerClient\(\): this call expects an object of options, not null/],
  [{ port: 8080, listen: false }, /option `port` has no effect with `listen: false`/],
  [{ origin: 'https://a.test' }, /option `origin` has no effect without `listen: false`/],
  [new Map(), /createTestIssuer\(\): this call expects an object of options, not an instance of Map/],
  [{ audience: undefined }, /option `audience` is undefined \(is the environment variable set\?\)/],
  [5, /createTestIssuer\(\): this call expects an object of options, not 5/],
] as const)
  t.test(`createTestIssuer(${JSON.stringify(options)}) is rejected`, async t => {
    await t.rejects(createTestIssuer(options as never), { name: 'TypeError', message })
  })

for (const [time, shown] of [
  [Number.NaN, 'NaN'],
  ['now', '"now"'],
] as const)
  t.test(`rejects a clock that returns ${shown}`, async t => {
    await t.rejects(createTestIssuer({ clock: () => time as number }), {
      name: 'TypeError',
      message: `oauth-test-issuer: createTestIssuer(): option \`clock\` returns ${shown}; expected a function that returns milliseconds since the epoch`,
    })
  })

t.test('treats undefined as absent, except for options that usually come from the environment', async t => {
  const nothing = Object.fromEntries(
    ['clients', 'expiresInMs', 'port', 'listen', 'clock'].map(name => [name, undefined]),
  )
  await using issuer = await createTestIssuer(nothing)
  t.match(issuer.url, /^http:\/\/127\.0\.0\.1:\d+$/)
  await t.rejects(issuer.token(), /the token has no audience/)
  t.match(await issuer.token({ audience: 'a:b' }), /^ey/)
})

t.test('rejects unknown endpoints and keys', async t => {
  await using issuer = await createTestIssuer({ listen: false })
  const message = /does not support the endpoint "tokens"/
  for (const use of [
    () => issuer.fail('tokens' as never, { status: 500 }),
    () => issuer.recover('tokens' as never),
    () => issuer.requests.of('tokens' as never),
    () => issuer.requests.count('tokens' as never),
  ])
    t.throws(use, { name: 'TypeError', message })
  await t.rejects(issuer.withdrawKey('none'), { name: 'TypeError', message: /no published key has the kid/ })
})

for (const [registration, message] of [
  [{}, /registerClient\(\): option `clientId` is missing; expected the id of the client/],
  [{ audience: [] }, /client a: option `audience` is \[\]; expected/],
  [{ secret: 's' }, /client a: there is no option `secret`; did you mean `clientSecret`\?/],
  [{ scopes: ['a b'] }, /client a: option `scopes\[0\]` is "a b"; expected .*without spaces/],
  [{ scopes: 'a' }, /client a: option `scopes` is "a"; expected a list/],
  [{ grants: ['password'] }, /client a: option `grants\[0\]` is "password"; expected 'client_credentials'/],
  [{ authentication: 'none' }, /client a: option `authentication` is "none"; expected 'client_secret_basic'/],
  [{ authentication: 'private_key_jwt' }, /client a: private_key_jwt requires the public keys of the client/],
  [{ audience: [5] }, /client a: option `audience\[0\]` is 5; expected the identifier of an API/],
  [{ clientSecret: '' }, /client a: option `clientSecret` is ""; expected text/],
  [{ clientSecret: 's', jwks: { keys: [] } }, /client a: `clientSecret` has no effect with `jwks`/],
  [{ jwks: [] }, /client a: option `jwks` is \[\]; expected a JWK set/],
  [{ grants: 'token_exchange' }, /client a: option `grants` is "token_exchange"; expected a list/],
  [{ grants: [] }, /client a: option `grants` is \[\]; expected a list/],
  [{ ownAudience: '' }, /client a: option `ownAudience` is ""; expected the identifier of an API/],
] as const)
  t.test(`registerClient(${JSON.stringify(registration)}) is rejected`, async t => {
    await using issuer = await createTestIssuer({ listen: false })
    const whole =
      Object.keys(registration).length === 0 ? {} : { clientId: 'a', audience: 'a:b', ...registration }
    t.throws(() => issuer.registerClient(whole as never), { name: 'TypeError', message })
  })

for (const [options, message] of [
  [{ scope: 'a' }, /token\(\): there is no option `scope`; did you mean `scopes`\?/],
  [{ scopes: 'a' }, /token\(\): option `scopes` is "a"; expected a list/],
  [{ expiresInMs: '5m' }, /token\(\): option `expiresInMs` is "5m"; expected a number of milliseconds/],
  [{ scopes: ['a b'] }, /token\(\): option `scopes\[0\]` is "a b"; expected .*without spaces/],
  [{ scopes: [5] }, /token\(\): option `scopes\[0\]` is 5; expected .*without spaces/],
  [{ audience: '' }, /token\(\): option `audience` is ""; expected the identifier of an API/],
  [{ subject: 5 }, /token\(\): option `subject` is 5; expected the name of a user/],
  [{ clientId: '' }, /token\(\): option `clientId` is ""; expected the id of a client/],
  [null, /token\(\): this call expects an object of options, not null/],
] as const)
  t.test(`token(${JSON.stringify(options)}) is rejected`, async t => {
    await using issuer = await createTestIssuer({ listen: false, audience: 'a:b' })
    await t.rejects(issuer.token(options as never), { name: 'TypeError', message })
    await t.rejects(issuer.badTokens(options as never), { name: 'TypeError', message })
  })

for (const [options, message] of [
  [{ claims: 'admin' }, /option `claims` is "admin"; expected an object with claims that JSON can represent/],
  [{ claims: { balance: 1n } }, /option `claims` is \{ balance \}; expected an object with claims/],
  [{ header: null }, /option `header` is null; expected an object with header parameters/],
  [{ header: { alg: 'HS256' } }, /the ES256 key cannot sign a token with the header \{"alg":"HS256"/],
  [{ dpopKey: 'key' }, /option `dpopKey` is "key"; expected a public key: a KeyObject, a CryptoKey or a JWK/],
  [{ dpopKey: {} }, /option `dpopKey` is \{\}; expected a public key/],
  [{ certificate: 'cert' }, /option `certificate` is "cert"; expected an X.509 certificate in PEM or DER/],
  [
    { expiresInMs: 1e300 },
    /option `expiresInMs` is 1e\+300; expected a number of milliseconds from -1e12 to 1e12/,
  ],
] as const)
  t.test(`token(${inspect(options)}) is rejected`, async t => {
    await using issuer = await createTestIssuer({ audience: 'a:b', listen: false })
    await t.rejects(issuer.token(options as never), { name: 'TypeError', message })
  })

t.test('rejects arguments of the wrong type', async t => {
  await using issuer = await createTestIssuer({ audience: 'a:b', listen: false })
  const jwks = { keys: [null] }
  const registration = { clientId: 'a', audience: 'a:b', jwks } as never
  t.throws(() => issuer.registerClient(registration), /client a: option `jwks` is \{ keys \}; expected a JWK/)
  t.throws(() => issuer.revoke(undefined as never), /revoke\(\): the token is undefined; expected a string/)
  t.throws(() => issuer.clock.advance('5' as never), /clock.advance expects milliseconds, not "5"/)
  const routes = [{ url: '/' }]
  for (const app of [undefined, {}])
    await t.rejects(expectProtected(app as never, { issuer, routes }), /expected a Fastify instance/)
})
