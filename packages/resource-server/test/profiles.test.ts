import fastify from 'fastify'
import resourceServer, { type ResourceServerOptions } from 'fastify-resource-server'
import t from 'tap'
import { makeKey, signRaw } from './hand-made-issuer.js'
import { hashOf, makeProof, makeProofKey } from './hand-made-proof.js'
import { startBench } from './protected-app.js'

/** Tokens shaped as the issuers document them; times are put in by the test. */
interface Dialect {
  readonly options: Partial<ResourceServerOptions>
  readonly header?: Record<string, unknown>
  /** Replaces the claims of RFC 9068. */
  readonly claims: Record<string, unknown>
  readonly expected: {
    clientId: string
    scopes?: string[]
    roles?: string[]
    groups?: string[]
    audience?: string[]
  }
  /** What this profile must not take for an access token. */
  readonly refused: Record<string, { claims?: Record<string, unknown>; header?: Record<string, unknown> }>
}

const api = 'api://receipts'
const tenant = '11111111-2222-3333-4444-555555555555'

const dialects: Record<string, Dialect> = {
  'Entra ID v2.0, app-only': {
    options: {
      profile: 'entra',
      issuer: `https://login.microsoftonline.com/${tenant}/v2.0`,
      audience: 'b14a7505-96e9-4927-91e8-0601d0fc9caa',
    },
    header: { typ: 'JWT' },
    claims: {
      iss: `https://login.microsoftonline.com/${tenant}/v2.0`,
      aud: 'b14a7505-96e9-4927-91e8-0601d0fc9caa',
      sub: 'f2a1',
      oid: 'f2a1',
      azp: 'client-guid',
      azpacr: '1',
      tid: tenant,
      ver: '2.0',
      idtyp: 'app',
      roles: ['Receipts.Write.All'],
      uti: 'x',
      rh: 'y',
    },
    expected: { clientId: 'client-guid', scopes: [], roles: ['Receipts.Write.All'] },
    refused: {
      'an ID token for the same application': { claims: { azp: undefined, nonce: 'n', name: 'Somebody' } },
      'a token for Microsoft Graph': { claims: { aud: '00000003-0000-0000-c000-000000000000' } },
      'another tenant': {
        claims: { iss: 'https://login.microsoftonline.com/99999999-0000-0000-0000-000000000000/v2.0' },
      },
      'another type': { header: { typ: 'id+jwt' } },
    },
  },
  'Entra ID v1.0, delegated': {
    options: { profile: 'entra', issuer: `https://sts.windows.net/${tenant}/`, audience: api },
    header: { typ: 'JWT' },
    claims: {
      iss: `https://sts.windows.net/${tenant}/`,
      aud: api,
      sub: 'user',
      appid: 'client-guid',
      appidacr: '1',
      tid: tenant,
      ver: '1.0',
      scp: 'receipts.read receipts.write',
    },
    expected: { clientId: 'client-guid', scopes: ['receipts.read', 'receipts.write'], roles: [] },
    refused: { 'no version': { claims: { ver: undefined } }, 'no client': { claims: { appid: undefined } } },
  },
  'Entra ID, any tenant': {
    options: {
      profile: 'entra',
      issuer: 'https://login.microsoftonline.com/{tenantid}/v2.0',
      audience: api,
    },
    header: { typ: 'JWT' },
    claims: {
      iss: `https://login.microsoftonline.com/${tenant}/v2.0`,
      aud: api,
      sub: 's',
      azp: 'client',
      tid: tenant,
      ver: '2.0',
      roles: ['R'],
    },
    expected: { clientId: 'client', roles: ['R'] },
    refused: {
      'tid of another tenant': { claims: { tid: '99999999-0000-0000-0000-000000000000' } },
      'no tid': { claims: { tid: undefined } },
      'tid that is a path': {
        claims: { tid: `x/../${tenant}`, iss: `https://login.microsoftonline.com/x/../${tenant}/v2.0` },
      },
      'tid that is a list': { claims: { tid: [tenant] } },
    },
  },
  'Azure AD B2C': {
    options: {
      profile: 'entra',
      issuer: `https://contoso.b2clogin.com/${tenant}/v2.0/`,
      audience: 'app-guid',
    },
    header: { typ: 'JWT' },
    claims: {
      iss: `https://contoso.b2clogin.com/${tenant}/v2.0/`,
      aud: 'app-guid',
      sub: 's',
      azp: 'client',
      tfp: 'B2C_1_signin',
      ver: '1.0',
      scp: 'read',
    },
    expected: { clientId: 'client', scopes: ['read'] },
    refused: { 'an ID token': { claims: { azp: undefined, scp: undefined } } },
  },
  'Auth0, its own dialect': {
    options: { profile: 'auth0', issuer: 'https://tenant.eu.auth0.com/', audience: api },
    header: { typ: 'JWT' },
    claims: {
      iss: 'https://tenant.eu.auth0.com/',
      aud: api,
      sub: 'abc@clients',
      azp: 'abc',
      scope: 'read write',
      gty: 'client-credentials',
      permissions: ['read'],
    },
    expected: { clientId: 'abc', scopes: ['read', 'write'], roles: ['read'] },
    refused: {
      'an ID token': { claims: { aud: 'abc', azp: undefined } },
      'the issuer without its slash': { claims: { iss: 'https://tenant.eu.auth0.com' } },
    },
  },
  'Auth0, RFC 9068 dialect': {
    options: { profile: 'auth0', issuer: 'https://tenant.eu.auth0.com/', audience: api },
    header: { typ: 'at+jwt' },
    claims: {
      iss: 'https://tenant.eu.auth0.com/',
      aud: [api],
      sub: 'abc@clients',
      client_id: 'abc',
      scope: 'read',
      jti: 'j',
    },
    expected: { clientId: 'abc', scopes: ['read'] },
    refused: {},
  },
  Keycloak: {
    options: { profile: 'keycloak', issuer: 'https://sso.example.com/realms/shop', audience: 'receipts' },
    header: { typ: 'JWT' },
    claims: {
      iss: 'https://sso.example.com/realms/shop',
      aud: ['receipts', 'account'],
      sub: 'uuid',
      typ: 'Bearer',
      azp: 'payment',
      jti: 'j',
      scope: 'receipts:write email',
      realm_access: { roles: ['offline_access'] },
      resource_access: { receipts: { roles: ['writer'] }, account: { roles: ['manage-account'] } },
    },
    expected: {
      clientId: 'payment',
      scopes: ['receipts:write', 'email'],
      roles: ['offline_access', 'writer'],
    },
    refused: {
      'an ID token': { claims: { typ: 'ID', aud: 'receipts' } },
      'a refresh token': { claims: { typ: 'Refresh' } },
      'a token that names no type': { claims: { typ: undefined } },
      'several types': { claims: { typ: ['Bearer'] } },
      'a token that is bound to a key, as a plain one': { claims: { typ: 'DPoP', cnf: { jkt: 'x' } } },
      'a logout token': { claims: { typ: 'Logout' } },
      'no audience, as without a mapper': { claims: { aud: undefined } },
      'the audience of everybody': { claims: { aud: 'account' } },
    },
  },
  Okta: {
    options: { profile: 'okta', issuer: 'https://dev-1.okta.com/oauth2/default', audience: 'api://default' },
    header: { typ: undefined },
    claims: {
      ver: 1,
      iss: 'https://dev-1.okta.com/oauth2/default',
      aud: 'api://default',
      sub: '0oa1',
      cid: '0oa1',
      scp: ['read', 'write'],
      jti: 'AT.1',
    },
    expected: { clientId: '0oa1', scopes: ['read', 'write'] },
    refused: { 'an ID token': { claims: { cid: undefined, aud: '0oa1' } } },
  },
  Cognito: {
    options: {
      profile: 'cognito',
      issuer: 'https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_abc',
      audience: ['payment-client'],
    },
    header: { typ: undefined },
    claims: {
      iss: 'https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_abc',
      sub: 'payment-client',
      client_id: 'payment-client',
      token_use: 'access',
      scope: 'receipts/read',
      jti: 'j',
      version: 2,
    },
    expected: { clientId: 'payment-client', scopes: ['receipts/read'], audience: ['payment-client'] },
    refused: {
      'an ID token': { claims: { token_use: 'id', aud: 'payment-client' } },
      'another client': { claims: { client_id: 'other' } },
      'no token_use': { claims: { token_use: undefined } },
    },
  },
  'another issuer, by explicit choice': {
    options: {
      profile: 'generic',
      issuer: 'https://own.example.com',
      audience: api,
      requiredClaims: ['sub'],
    },
    header: { typ: undefined },
    claims: { iss: 'https://own.example.com', aud: api, sub: 's', client_id: 'c', scp: ['a'] },
    expected: { clientId: 'c', scopes: ['a'] },
    refused: { 'no audience': { claims: { aud: undefined } }, 'no sub': { claims: { sub: undefined } } },
  },
}

for (const [name, { options, header = {}, claims, expected, refused }] of Object.entries(dialects)) {
  t.test(name, async t => {
    const key = makeKey('first', 'RS256')
    const now = 1_800_000_000
    const app = fastify()
    t.teardown(() => app.close())
    await app.register(resourceServer, {
      ...(options as ResourceServerOptions),
      keys: [key.jwk],
      clock: () => now * 1000,
    })
    app.get('/', async ({ auth }) => ({ ...auth }))
    const call = async (changes: Dialect['refused'][string]) => {
      const token = signRaw(
        { alg: 'RS256', kid: 'first', ...header, ...changes.header },
        { iat: now, exp: now + 300, ...claims, ...changes.claims },
        key,
      )
      return app.inject({ url: '/', headers: { authorization: `Bearer ${token}` } })
    }
    const answer = await call({})
    t.equal(answer.statusCode, 200, answer.body)
    t.match(answer.json(), expected)
    for (const [what, changes] of Object.entries(refused))
      t.equal((await call(changes)).statusCode, 401, what)
  })
}

t.test('removes duplicate scopes, roles and groups', async t => {
  const bench = await startBench(t, {
    profile: 'generic',
    audience: ['https://a.example.com', 'https://b.example.com'],
  })
  const token = bench.token({
    scope: ' read  write read ',
    scp: ['write', 'delete'],
    roles: ['admin', 'admin'],
    aud: ['https://b.example.com', 'https://other.example.com', 'https://b.example.com'],
  })
  const { scopes, roles, audience } = await bench.app.oauth.verify(token)
  t.strictSame(scopes, ['read', 'write', 'delete'])
  t.strictSame(roles, ['admin'])
  t.strictSame(audience, ['https://b.example.com'])
})

t.test('accepts the claim typ of DPoP tokens from Keycloak', async t => {
  const [origin, client] = ['https://api.example.com', makeProofKey()]
  const bench = await startBench(t, { profile: 'keycloak', dpop: { origin } })
  const claims = { typ: 'DPoP', azp: 'payment', cnf: { jkt: client.thumbprint } }
  const token = bench.token(claims, { typ: 'JWT' })
  const proof = makeProof(client, {
    htm: 'GET',
    htu: `${origin}/read`,
    iat: bench.clock.now / 1000,
    jti: 'proof',
    ath: hashOf(token),
  })
  const headers = { authorization: `DPoP ${token}`, dpop: proof }
  t.equal((await bench.app.inject({ url: '/read', headers })).statusCode, 200)
  t.equal((await bench.call(token)).statusCode, 401, 'as a plain bearer token')
})

t.test('accepts several issuers, one of them with a template', async t => {
  const key = makeKey('first')
  const app = fastify()
  t.teardown(() => app.close())
  const now = 1_800_000_000
  await app.register(resourceServer, {
    issuers: [
      {
        issuer: 'https://login.microsoftonline.com/{tenantid}/v2.0',
        audience: api,
        profile: 'entra',
        keys: [key.jwk],
      },
      { issuer: 'https://own.example.com', audience: api, profile: 'generic', keys: [makeKey('first').jwk] },
    ],
    clock: () => now * 1000,
  })
  app.get('/', async () => 'in')
  const status = async (iss: string, tid: string): Promise<number> => {
    const claims = { iss, aud: api, sub: 's', azp: 'c', tid, ver: '2.0', iat: now, exp: now + 60 }
    const token = signRaw({ alg: 'ES256', kid: 'first', typ: 'JWT' }, claims, key)
    return (await app.inject({ url: '/', headers: { authorization: `Bearer ${token}` } })).statusCode
  }
  t.equal(await status(`https://login.microsoftonline.com/${tenant}/v2.0`, tenant), 200)
  t.equal(await status(`https://login.microsoftonline.com/${tenant}/v2.0`, 'other'), 401)
  t.equal(await status('https://own.example.com', tenant), 401)
  t.equal(await status('https://login.microsoftonline.com//v2.0', ''), 401)
})
