import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose'
import t from 'tap'
import { createTestIssuer, type ProfileName } from 'oauth-test-issuer'

/** The access tokens in the documentation of an issuer. */
interface Documented {
  readonly source: string
  readonly issuer: RegExp
  readonly header: object
  /** The names and patterns of all claims if a client acts for itself. */
  readonly machine: Readonly<Record<string, unknown>>
  /** The different claims if a client acts for a user. Undefined for absent claims. */
  readonly user: Readonly<Record<string, unknown>>
  /** The members of a key in the JWK set, except the key itself. */
  readonly key: object
}

const audience = 'https://api.example.com'
const uuid = /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/
const scopes = ['receipts:read', 'receipts:write']
const times = { iat: Number, exp: Number }

const documented: Readonly<Record<ProfileName, Documented>> = {
  rfc9068: {
    source: 'https://www.rfc-editor.org/rfc/rfc9068#section-2',
    issuer: /^http:\/\/127\.0\.0\.1:\d+$/,
    header: { alg: 'ES256', typ: 'at+jwt', kid: String },
    machine: {
      iss: String,
      aud: audience,
      sub: 'shop',
      client_id: 'shop',
      jti: uuid,
      scope: 'receipts:read receipts:write',
      ...times,
    },
    user: { sub: 'ada' },
    key: { use: 'sig', alg: 'ES256' },
  },
  generic: {
    source: 'https://www.rfc-editor.org/rfc/rfc7519#section-5.1',
    issuer: /^http:\/\/127\.0\.0\.1:\d+$/,
    header: { alg: 'ES256', typ: 'JWT', kid: String },
    machine: {
      iss: String,
      aud: audience,
      sub: 'shop',
      client_id: 'shop',
      jti: uuid,
      scope: 'receipts:read receipts:write',
      ...times,
    },
    user: { sub: 'ada' },
    key: { use: 'sig', alg: 'ES256' },
  },
  entra: {
    source: 'https://learn.microsoft.com/en-us/entra/identity-platform/access-token-claims-reference',
    issuer: /\/[\da-f-]{36}\/v2\.0$/,
    header: { alg: 'RS256', typ: 'JWT', kid: String },
    machine: {
      iss: String,
      aud: audience,
      nbf: Number,
      azp: 'shop',
      azpacr: '1',
      oid: uuid,
      sub: uuid,
      tid: String,
      uti: String,
      ver: '2.0',
      roles: scopes,
      ...times,
    },
    user: { roles: undefined, scp: 'receipts:read receipts:write' },
    key: { use: 'sig' },
  },
  auth0: {
    source: 'https://auth0.com/docs/secure/tokens/access-tokens/access-token-profiles',
    issuer: /\/$/,
    header: { alg: 'RS256', typ: 'JWT', kid: String },
    machine: {
      iss: String,
      aud: audience,
      sub: 'shop@clients',
      azp: 'shop',
      gty: 'client-credentials',
      scope: 'receipts:read receipts:write',
      permissions: scopes,
      ...times,
    },
    user: { sub: 'ada', gty: undefined },
    key: { use: 'sig', alg: 'RS256' },
  },
  keycloak: {
    source: 'https://www.keycloak.org/docs/latest/server_admin/#_service_accounts',
    issuer: /\/realms\/test$/,
    header: { alg: 'RS256', typ: 'JWT', kid: String },
    machine: {
      iss: String,
      aud: audience,
      sub: uuid,
      jti: uuid,
      typ: 'Bearer',
      azp: 'shop',
      acr: '1',
      realm_access: { roles: ['default-roles-test'] },
      scope: 'receipts:read receipts:write',
      client_id: 'shop',
      preferred_username: 'service-account-shop',
      ...times,
    },
    user: { client_id: undefined, preferred_username: 'ada' },
    key: { use: 'sig', alg: 'RS256' },
  },
  cognito: {
    source:
      'https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-access-token.html',
    issuer: /\/[\w-]+_\w+$/,
    header: { alg: 'RS256', kid: String },
    machine: {
      iss: String,
      sub: 'shop',
      client_id: 'shop',
      token_use: 'access',
      version: 2,
      auth_time: Number,
      jti: uuid,
      scope: 'receipts:read receipts:write',
      ...times,
    },
    user: { sub: uuid, username: 'ada' },
    key: { use: 'sig', alg: 'RS256' },
  },
  okta: {
    source: 'https://developer.okta.com/docs/api/openapi/okta-oauth/guides/overview/',
    issuer: /\/oauth2\/default$/,
    header: { alg: 'RS256', kid: String },
    machine: {
      iss: String,
      aud: audience,
      sub: 'shop',
      cid: 'shop',
      ver: 1,
      jti: /^AT\./,
      scp: scopes,
      ...times,
    },
    user: { sub: 'ada' },
    key: { use: 'sig', alg: 'RS256' },
  },
}

for (const [profile, { source, issuer: identifier, header, machine, user, key }] of Object.entries(
  documented,
) as [ProfileName, Documented][])
  t.test(`${profile}: creates tokens and keys as described in ${source}`, async t => {
    await using issuer = await createTestIssuer({ profile, audience })
    t.match(issuer.url, identifier)

    const options = { clientId: 'shop', scopes }
    const own = await issuer.token(options)
    t.same(Object.keys(decodeProtectedHeader(own)).sort(), Object.keys(header).sort(), 'header, no more')
    t.match(decodeProtectedHeader(own), header)
    t.same(Object.keys(decodeJwt(own)).sort(), Object.keys(machine).sort(), 'claims, no more')
    t.match(decodeJwt(own), machine)
    t.equal(decodeJwt(own).iss, issuer.url)
    await jwtVerify(own, createLocalJWKSet(issuer.jwks as never))

    const delegated = decodeJwt(await issuer.token({ ...options, subject: 'ada' }))
    const expected = Object.entries({ ...machine, ...user }).filter(([, value]) => value !== undefined)
    t.same(Object.keys(delegated).sort(), expected.map(([name]) => name).sort(), 'of a user')
    t.match(delegated, Object.fromEntries(expected))

    const [published] = issuer.jwks.keys
    t.match(published, key)
    t.equal(published?.['alg'], (key as { alg?: string }).alg)
    t.notOk('d' in published!, 'no private key')

    const none = decodeJwt(await issuer.token({ clientId: 'shop' }))
    for (const claim of ['scope', 'scp', 'roles'])
      t.notOk(claim in none, `without scopes there is no ${claim}`)
  })

t.test('writes one audience as a string and several as a list (RFC 7519 §4.1.3)', async t => {
  await using issuer = await createTestIssuer({ audience: ['a:1', 'a:2'] })
  t.same(decodeJwt(await issuer.token()).aud, ['a:1', 'a:2'])
  t.equal(decodeJwt(await issuer.token({ audience: 'a:3' })).aud, 'a:3')
})
