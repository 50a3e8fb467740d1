import t from 'tap'
import { createTestIssuer } from 'oauth-test-issuer'

for (const [options, message] of [
  [{ audiense: 'a' }, /createTestIssuer\(\) does not know `audiense`; it knows dialect, audience/],
  [{ dialect: 'azure' }, /option `dialect` is "azure"; it wants one of rfc9068, entra/],
  [{ algorithm: 'HS256' }, /option `algorithm` is "HS256"; it wants one of ES256/],
  [{ expiresIn: 0 }, /option `expiresIn` is 0; it wants seconds, above 0/],
  [{ port: 70_000 }, /option `port` is 70000; it wants a port number/],
  [{ origin: 'https://a.test/path' }, /option `origin` is .*without a path/],
  [{ clients: [{ clientId: 'a' }] }, /client a: audience is missing/],
] as const)
  t.test(`createTestIssuer(${JSON.stringify(options)}) says what is wrong`, async t => {
    await t.rejects(createTestIssuer(options as never), { name: 'TypeError', message })
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
  [{ expiresIn: '5m' }, /token\(\) wants expiresIn in seconds, not 5m/],
] as const)
  t.test(`token(${JSON.stringify(options)}) says what is wrong`, async t => {
    await using issuer = await createTestIssuer({ listen: false, audience: 'a:b' })
    await t.rejects(issuer.token(options as never), { name: 'TypeError', message })
    await t.rejects(issuer.badTokens(options as never), { name: 'TypeError', message })
  })
