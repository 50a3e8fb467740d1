/** The claims of one token, its signature verified. */
export type Claims = Readonly<Record<string, unknown>>

/** How an issuer writes its access tokens. */
export interface Profile {
  /** Values of the header's `typ`, lower case, without `application/`; null stands for an absent one. */
  readonly types: readonly (string | null)[]
  /** Claims that have to be there, besides `iss` and `exp`. One of the inner list, where a list is given. */
  readonly required: readonly (string | readonly string[])[]
  /** Claims that have to have exactly one of these values. */
  readonly fixed: readonly (readonly [claim: string, values: readonly string[]])[]
  /** The claim that names whom the token is for. */
  readonly audience: string
  /** Claims that name the client; the first one present counts. */
  readonly clientId: readonly string[]
  /** Claims with scopes: space-delimited or a list. */
  readonly scopes: readonly string[]
  /** Paths to claims with roles or application permissions; `{audience}` stands for each configured audience. */
  readonly roles: readonly (readonly string[])[]
  /** The same for groups of the user (RFC 9068 §2.2.3.1). */
  readonly groups: readonly (readonly string[])[]
}

export type ProfileName = 'rfc9068' | 'entra' | 'auth0' | 'keycloak' | 'okta' | 'cognito' | 'generic'

function profile(row: Profile): Profile {
  return Object.freeze(row)
}

/** The claims that must be present: one name of each list. */
export function requiredBy(
  { required }: Profile,
  requiredClaims: readonly string[],
): readonly (readonly string[])[] {
  return ['iss', 'exp', ...required, ...requiredClaims].map(claim =>
    typeof claim === 'string' ? [claim] : claim,
  )
}

/** Issuer → how its tokens look. A row is all that a new issuer needs. */
export const profiles: Readonly<Record<ProfileName, Profile>> = Object.freeze({
  /** RFC 9068 §2, §4. */
  rfc9068: profile({
    types: ['at+jwt'],
    required: ['aud', 'sub', 'client_id', 'iat', 'jti'],
    fixed: [],
    audience: 'aud',
    clientId: ['client_id'],
    scopes: ['scope'],
    roles: [['roles'], ['entitlements']],
    groups: [['groups']],
  }),
  /**
   * Microsoft Entra ID and Azure AD B2C, v1.0 and v2.0 tokens. `scp` holds what a user delegated, `roles` the
   * application permissions of app-only tokens. ID tokens have neither `azp` nor `appid`.
   */
  entra: profile({
    types: ['jwt', 'at+jwt'],
    required: ['aud', 'sub', 'iat', 'ver', ['azp', 'appid']],
    fixed: [],
    audience: 'aud',
    clientId: ['azp', 'appid'],
    scopes: ['scp'],
    roles: [['roles']],
    groups: [['groups']],
  }),
  /** Auth0, both dialects: `jwt` with `azp`, and RFC 9068 with `client_id`. */
  auth0: profile({
    types: ['jwt', 'at+jwt'],
    required: ['aud', 'sub', 'iat', ['azp', 'client_id']],
    fixed: [],
    audience: 'aud',
    clientId: ['azp', 'client_id'],
    scopes: ['scope'],
    roles: [['permissions']],
    groups: [],
  }),
  /**
   * Keycloak: the payload's own `typ` tells access tokens, `DPoP` those that are bound to a key, from ID, refresh and
   * logout tokens.
   */
  keycloak: profile({
    types: ['jwt', 'at+jwt'],
    required: ['aud', 'sub', 'iat', 'jti', ['azp', 'client_id']],
    fixed: [['typ', ['Bearer', 'DPoP']]],
    audience: 'aud',
    clientId: ['azp', 'client_id'],
    scopes: ['scope'],
    roles: [
      ['realm_access', 'roles'],
      ['resource_access', '{audience}', 'roles'],
    ],
    groups: [['groups']],
  }),
  /** Okta custom authorization servers: `scp` is a list, `cid` the client. ID tokens have no `cid`. */
  okta: profile({
    types: ['jwt', 'at+jwt', null],
    required: ['aud', 'sub', 'iat', 'jti', 'cid'],
    fixed: [],
    audience: 'aud',
    clientId: ['cid'],
    scopes: ['scp'],
    roles: [['groups']],
    groups: [['groups']],
  }),
  /** Amazon Cognito: access tokens have no `aud`; the list of clients takes its place. */
  cognito: profile({
    types: ['jwt', null],
    required: ['sub', 'iat', 'jti', 'client_id', 'token_use'],
    fixed: [['token_use', ['access']]],
    audience: 'client_id',
    clientId: ['client_id'],
    scopes: ['scope'],
    roles: [['cognito:groups']],
    groups: [['cognito:groups']],
  }),
  /** Any other issuer of signed tokens: the audience is required, the rest is up to `requiredClaims`. */
  generic: profile({
    types: ['jwt', 'at+jwt', null],
    required: ['aud'],
    fixed: [],
    audience: 'aud',
    clientId: ['client_id', 'azp', 'appid', 'cid'],
    scopes: ['scope', 'scp'],
    roles: [['roles']],
    groups: [['groups']],
  }),
})
