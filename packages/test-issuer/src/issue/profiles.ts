import { createHash, randomBytes, randomUUID } from 'node:crypto'
import type { SigningAlgorithm } from './signing-keys.js'

/** The claims of a token, as they are written. `undefined` leaves one out. */
export type Claims = Readonly<Record<string, unknown>>

/** What a token says, before an issuer's way of writing it. Times in seconds since the epoch. */
export interface TokenContent {
  readonly issuer: string
  readonly audience: readonly string[]
  readonly scopes: readonly string[]
  /** The user; undefined where the client acts for itself (client credentials). */
  readonly subject: string | undefined
  readonly clientId: string
  readonly issuedAt: number
  readonly expiresAt: number
}

/** How one kind of issuer writes its access tokens, and where its endpoints are. */
export interface Profile {
  /** The issuer identifier's path. */
  readonly issuerPath: string
  readonly jwksPath: string
  readonly tokenPath: string
  readonly introspectionPath: string
  /** What such an issuer signs with unless told otherwise. */
  readonly algorithm: SigningAlgorithm
  /** The header's `typ`; undefined: none. */
  readonly type: string | undefined
  /** Whether the keys in the JWK set carry `alg`. */
  readonly namesAlgorithm: boolean
  /** The claim that says whom the token is for. */
  readonly audienceClaim: 'aud' | 'client_id'
  readonly claims: (content: TokenContent) => Claims
}

export type ProfileName = 'rfc9068' | 'entra' | 'auth0' | 'keycloak' | 'okta' | 'cognito' | 'generic'

const tenant = '8eaef023-2b34-4da1-9baa-8bc8c9d6a490'

/** RFC 9068 §2. */
const rfc9068: Profile = {
  issuerPath: '',
  jwksPath: '/jwks',
  tokenPath: '/token',
  introspectionPath: '/introspect',
  algorithm: 'ES256',
  type: 'at+jwt',
  namesAlgorithm: true,
  audienceClaim: 'aud',
  claims: content => ({
    ...registered(content),
    // RFC 9068 §2.2: without a resource owner the subject is the client.
    sub: content.subject ?? content.clientId,
    client_id: content.clientId,
    jti: randomUUID(),
    scope: spaced(content.scopes),
  }),
}

/** Issuer → how its tokens look. A row is all that another issuer needs. */
export const profiles: Readonly<Record<ProfileName, Profile>> = {
  rfc9068,
  /** Microsoft Entra ID, v2.0: `roles` where an application acts for itself, `scp` where a user delegated. */
  entra: {
    issuerPath: `/${tenant}/v2.0`,
    jwksPath: `/${tenant}/discovery/v2.0/keys`,
    tokenPath: `/${tenant}/oauth2/v2.0/token`,
    introspectionPath: `/${tenant}/oauth2/v2.0/introspect`,
    algorithm: 'RS256',
    type: 'JWT',
    namesAlgorithm: false,
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
  /** Auth0's own token dialect (Auth0 can also issue RFC 9068 tokens); RBAC's `permissions` beside `scope`. */
  auth0: {
    issuerPath: '/',
    jwksPath: '/.well-known/jwks.json',
    tokenPath: '/oauth/token',
    introspectionPath: '/oauth/introspect',
    algorithm: 'RS256',
    type: 'JWT',
    namesAlgorithm: true,
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
  /** Keycloak: the payload's own `typ` tells access tokens from the others. */
  keycloak: {
    issuerPath: '/realms/test',
    jwksPath: '/realms/test/protocol/openid-connect/certs',
    tokenPath: '/realms/test/protocol/openid-connect/token',
    introspectionPath: '/realms/test/protocol/openid-connect/token/introspect',
    algorithm: 'RS256',
    type: 'JWT',
    namesAlgorithm: true,
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
  /** An issuer without a profile of its own: RFC 9068's claims, but `typ: JWT`. */
  generic: {
    ...rfc9068,
    type: 'JWT',
  },
  /** Amazon Cognito: no `aud`, no `typ`; the client is the only audience. */
  cognito: {
    issuerPath: '/eu-central-1_TestPool1',
    jwksPath: '/eu-central-1_TestPool1/.well-known/jwks.json',
    tokenPath: '/oauth2/token',
    introspectionPath: '/oauth2/introspect',
    algorithm: 'RS256',
    type: undefined,
    namesAlgorithm: true,
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
  /** Okta custom authorization servers: `scp` is a list, `cid` the client. */
  okta: {
    issuerPath: '/oauth2/default',
    jwksPath: '/oauth2/default/v1/keys',
    tokenPath: '/oauth2/default/v1/token',
    introspectionPath: '/oauth2/default/v1/introspect',
    algorithm: 'RS256',
    type: undefined,
    namesAlgorithm: true,
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

/** RFC 7519 §4.1: one audience is written as a string, several as a list. */
function registered({ issuer, audience, issuedAt, expiresAt }: TokenContent): Claims {
  return {
    iss: issuer,
    aud: audience.length === 1 ? audience[0] : audience,
    iat: issuedAt,
    exp: expiresAt,
  }
}

/** RFC 6749 §3.3. No scope at all: no claim. */
function spaced(scopes: readonly string[]): string | undefined {
  return scopes.length === 0 ? undefined : scopes.join(' ')
}

/** A directory's id of a user or a client: the same one for the same name. An id stays itself, as in tokens that are exchanged. */
function objectId(name: string): string {
  if (/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/.test(name)) return name
  const hex = createHash('sha256').update(name).digest('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}
