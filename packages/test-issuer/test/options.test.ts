import t from 'tap'
import { createTestIssuer } from 'oauth-test-issuer'

for (const [options, message] of [
  [{ audiense: 'a' }, /createTestIssuer\(\) does not know `audiense`; it knows profile, audience/],
  [{ profile: 'azure' }, /option `profile` is "azure"; it wants one of rfc9068, entra/],
  [{ algorithm: 'HS256' }, /option `algorithm` is "HS256"; it wants one of ES256/],
  [{ expiresInMs: 300 }, /option `expiresInMs` is 300; it wants milliseconds, at least 1000/],
  [{ expiresInMs: Number('5m') }, /option `expiresInMs` is NaN; it wants milliseconds/],
  [{ audience: [''] }, /option `audience` is \[""\]; it wants the identifier of an API, or several/],
  [{ audience: [undefined] }, /option `audience` is \[null\]; it wants/],
  [{ clients: { clientId: 'a' } }, /option `clients` is .*; it wants a list/],
  [{ listen: 'no' }, /option `listen` is "no"; it wants true or false/],
  [{ clock: 5 }, /option `clock` is 5; it wants a function/],
  [{ port: 70_000 }, /option `port` is 70000; it wants a port number/],
  [{ origin: 'https://a.test/path' }, /option `origin` is .*without a path/],
  [{ clients: [{ clientId: 'a' }] }, /client a: audience is missing/],
  [{ clients: [null] }, /a client is null; it wants an object/],
  [{ port: 8080, listen: false }, /option `port` does nothing with `listen: false`/],
  [{ origin: 'https://a.test' }, /option `origin` does nothing without `listen: false`/],
  [5, /createTestIssuer\(\) is 5; it wants an object/],
] as const)
  t.test(`createTestIssuer(${JSON.stringify(options)}) says what is wrong`, async t => {
    await t.rejects(createTestIssuer(options as never), { name: 'TypeError', message })
  })

for (const [time, shown] of [
  [Number.NaN, 'NaN'],
  ['now', 'now'],
] as const)
  t.test(`a clock that gives ${shown} is none`, async t => {
    await t.rejects(createTestIssuer({ clock: () => time as number }), {
      name: 'TypeError',
      message: `oauth-test-issuer: option \`clock\` is a function that returns ${shown}; it wants milliseconds since the epoch`,
    })
  })

t.test('an option that is undefined, as an unset variable is, counts as left out', async t => {
  const nothing = Object.fromEntries(
    ['profile', 'audience', 'clients', 'algorithm', 'expiresInMs', 'port', 'listen', 'origin', 'clock'].map(
      name => [name, undefined],
    ),
  )
  await using issuer = await createTestIssuer(nothing)
  t.match(issuer.url, /^http:\/\/127\.0\.0\.1:\d+$/)
  await t.rejects(issuer.token(), /the token is for nobody/)
  t.match(await issuer.token({ audience: 'a:b' }), /^ey/)
})

t.test('endpoints and keys that there are not are named, not passed over', async t => {
  await using issuer = await createTestIssuer({ listen: false })
  const message = /knows discovery, jwks, token, introspection, not "tokens"/
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
  [{}, /a client wants a clientId/],
  [{ audience: [] }, /client a: audience is missing/],
  [{ secret: 's' }, /client a does not know `secret`; it knows clientId, clientSecret/],
  [{ scopes: ['a b'] }, /client a: "a b" is no scope/],
  [{ scopes: 'a' }, /client a: scopes wants a list/],
  [{ grants: ['password'] }, /client a: there is no grant "password"; there are client_credentials/],
  [{ authentication: 'none' }, /client a: authentication is "none"; it wants one of client_secret_basic/],
  [{ authentication: 'private_key_jwt' }, /client a: private_key_jwt needs its public keys/],
  [{ audience: [5] }, /client a: audience wants identifiers of APIs/],
  [{ clientSecret: '' }, /client a: clientSecret wants text/],
  [{ clientSecret: 's', jwks: { keys: [] } }, /client a: clientSecret does nothing beside jwks/],
  [{ jwks: [] }, /client a: jwks wants a JWK set/],
  [{ grants: 'token_exchange' }, /client a: grants wants a list/],
  [{ grants: [] }, /client a: grants wants a list/],
  [{ ownAudience: '' }, /client a: ownAudience wants the identifier of an API/],
] as const)
  t.test(`registerClient(${JSON.stringify(registration)}) says what is wrong`, async t => {
    await using issuer = await createTestIssuer({ listen: false })
    const whole =
      Object.keys(registration).length === 0 ? {} : { clientId: 'a', audience: 'a:b', ...registration }
    t.throws(() => issuer.registerClient(whole as never), { name: 'TypeError', message })
  })

for (const [options, message] of [
  [{ scope: 'a' }, /token\(\) does not know `scope`; it knows audience, scopes/],
  [{ scopes: 'a' }, /token\(\) wants scopes as a list/],
  [{ expiresInMs: '5m' }, /token\(\) wants expiresInMs in milliseconds, not "5m"/],
  [{ scopes: ['a b'] }, /token\(\) wants one scope for each member of scopes, without spaces, not "a b"/],
  [{ scopes: [5] }, /token\(\) wants one scope for each member of scopes, without spaces, not 5/],
  [{ audience: '' }, /token\(\) wants audience as the identifier of an API, or several/],
  [{ subject: 5 }, /token\(\) wants subject as text/],
  [{ clientId: '' }, /token\(\) wants clientId as text/],
  [null, /token\(\) is null; it wants an object/],
] as const)
  t.test(`token(${JSON.stringify(options)}) says what is wrong`, async t => {
    await using issuer = await createTestIssuer({ listen: false, audience: 'a:b' })
    await t.rejects(issuer.token(options as never), { name: 'TypeError', message })
    await t.rejects(issuer.badTokens(options as never), { name: 'TypeError', message })
  })
