import { randomBytes, randomUUID } from 'node:crypto'
import { objectId, registered, spaced } from './claims.js'
import type { Profile, ProfileName } from './profile.js'

const tenant = '8eaef023-2b34-4da1-9baa-8bc8c9d6a490'

/** RFC 9068 §2. */
const rfc9068: Profile = {
  issuerPath: '',
  jwksPath: '/jwks',
  authorizationPath: '/authorize',
  tokenPath: '/token',
  introspectionPath: '/introspect',
  algorithm: 'ES256',
  type: 'at+jwt',
  namesAlgorithm: true,
  answersScope: true,
  audienceClaim: 'aud',
  claims: content => ({
    ...registered(content),
    // If there is no resource owner, the subject is the client (RFC 9068 §2.2).
    sub: content.subject ?? content.clientId,
    client_id: content.clientId,
    jti: randomUUID(),
    scope: spaced(content.scopes),
  }),
}

/** Maps names to profiles. */
export const profiles: Readonly<Record<ProfileName, Profile>> = {
  rfc9068,
  /**
   * Microsoft Entra ID, v2.0. Tokens contain `roles` if the application acts on its own behalf, and `scp` if a user delegated
   * permissions.
   */
  entra: {
    issuerPath: `/${tenant}/v2.0`,
    jwksPath: `/${tenant}/discovery/v2.0/keys`,
    authorizationPath: `/${tenant}/oauth2/v2.0/authorize`,
    tokenPath: `/${tenant}/oauth2/v2.0/token`,
    introspectionPath: `/${tenant}/oauth2/v2.0/introspect`,
    algorithm: 'RS256',
    type: 'JWT',
    namesAlgorithm: false,
    answersScope: false,
    audienceClaim: 'aud',
    claims: content => ({
      ...registered(content),
      nbf: content.issuedAt,
      azp: content.clientId,
      azpacr: '1',
      oid: objectId(content.subject ?? content.clientId),
      sub: objectId(content.subject ?? content.clientId),
      tid: tenant,
      uti: randomBytes(16).toString('base64url'),
      ver: '2.0',
      ...(content.subject === undefined
        ? { roles: content.scopes.length === 0 ? undefined : content.scopes }
        : { scp: spaced(content.scopes) }),
    }),
  },
  /**
   * Auth0's own token format, with the `permissions` claim that Auth0 adds for role-based access control. Auth0 can also issue
   * RFC 9068 tokens.
   */
  auth0: {
    issuerPath: '/',
    jwksPath: '/.well-known/jwks.json',
    authorizationPath: '/authorize',
    tokenPath: '/oauth/token',
    introspectionPath: '/oauth/introspect',
    algorithm: 'RS256',
    type: 'JWT',
    namesAlgorithm: true,
    answersScope: true,
    audienceClaim: 'aud',
    claims: content => ({
      ...registered(content),
      sub: content.subject ?? `${content.clientId}@clients`,
      azp: content.clientId,
      gty: content.subject === undefined ? 'client-credentials' : undefined,
      scope: spaced(content.scopes),
      permissions: content.scopes,
    }),
  },
  /** Keycloak. The `typ` claim distinguishes access tokens from other tokens. */
  keycloak: {
    issuerPath: '/realms/test',
    jwksPath: '/realms/test/protocol/openid-connect/certs',
    authorizationPath: '/realms/test/protocol/openid-connect/auth',
    tokenPath: '/realms/test/protocol/openid-connect/token',
    introspectionPath: '/realms/test/protocol/openid-connect/token/introspect',
    algorithm: 'RS256',
    type: 'JWT',
    namesAlgorithm: true,
    answersScope: true,
    audienceClaim: 'aud',
    claims: content => ({
      ...registered(content),
      jti: randomUUID(),
      sub: objectId(content.subject ?? content.clientId),
      typ: 'Bearer',
      azp: content.clientId,
      acr: '1',
      realm_access: { roles: ['default-roles-test'] },
      scope: spaced(content.scopes),
      client_id: content.subject === undefined ? content.clientId : undefined,
      preferred_username: content.subject ?? `service-account-${content.clientId}`,
    }),
  },
  /** Any other issuer. Tokens have the claims of RFC 9068 and the header `typ: JWT`. */
  generic: {
    ...rfc9068,
    type: 'JWT',
  },
  /** Amazon Cognito. Tokens have neither `aud` nor `typ`, and the client id is the only audience. */
  cognito: {
    issuerPath: '/eu-central-1_TestPool1',
    jwksPath: '/eu-central-1_TestPool1/.well-known/jwks.json',
    authorizationPath: '/oauth2/authorize',
    tokenPath: '/oauth2/token',
    introspectionPath: '/oauth2/introspect',
    algorithm: 'RS256',
    type: undefined,
    namesAlgorithm: true,
    answersScope: false,
    audienceClaim: 'client_id',
    claims: content => ({
      ...registered(content),
      aud: undefined,
      sub: content.subject === undefined ? content.clientId : objectId(content.subject),
      username: content.subject,
      token_use: 'access',
      auth_time: content.issuedAt,
      version: 2,
      jti: randomUUID(),
      client_id: content.clientId,
      scope: spaced(content.scopes),
    }),
  },
  /** Okta custom authorization servers. The `scp` claim is a list, and `cid` contains the client id. */
  okta: {
    issuerPath: '/oauth2/default',
    jwksPath: '/oauth2/default/v1/keys',
    authorizationPath: '/oauth2/default/v1/authorize',
    tokenPath: '/oauth2/default/v1/token',
    introspectionPath: '/oauth2/default/v1/introspect',
    algorithm: 'RS256',
    type: undefined,
    namesAlgorithm: true,
    answersScope: true,
    audienceClaim: 'aud',
    claims: content => ({
      ...registered(content),
      ver: 1,
      jti: `AT.${randomBytes(24).toString('base64url')}`,
      sub: content.subject ?? content.clientId,
      cid: content.clientId,
      scp: content.scopes.length === 0 ? undefined : content.scopes,
    }),
  },
}

/** The allowed values of the `profile` option. */
// The cast is needed because Object.keys returns string[].
export const profileNames = Object.keys(profiles) as readonly ProfileName[]
