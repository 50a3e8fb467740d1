/** The claims of one token. */
export type Claims = Readonly<Record<string, unknown>>

/** The format of an issuer's access tokens. */
export interface Profile {
  /**
   * Accepted values of the header parameter `typ`, in lower case and without `application/`; null accepts an absent
   * `typ`.
   */
  readonly types: readonly (string | null)[]
  /** Required claims, in addition to `iss` and `exp`. Of each inner list, one claim is enough. */
  readonly required: readonly (string | readonly string[])[]
  /** Claims that must have one of the given values. */
  readonly fixed: readonly (readonly [claim: string, values: readonly string[]])[]
  /** The claim that contains the audience. */
  readonly audience: string
  /** Claims that contain the client id. The first of these claims that is present is used. */
  readonly clientId: readonly string[]
  /** Claims that contain scopes, as a space-delimited string or a list. */
  readonly scopes: readonly string[]
  /** Paths to claims with roles or application permissions; `{audience}` stands for each configured audience. */
  readonly roles: readonly (readonly string[])[]
  /** Paths to claims with the groups of the user (RFC 9068 §2.2.3.1). */
  readonly groups: readonly (readonly string[])[]
}

export type ProfileName = 'rfc9068' | 'entra' | 'auth0' | 'keycloak' | 'okta' | 'cognito' | 'generic'

function profile(row: Profile): Profile {
  return Object.freeze(row)
}

/** Returns the required claims: at least one name of each inner list must be present. */
export function requiredBy(
  { required }: Profile,
  requiredClaims: readonly string[],
): readonly (readonly string[])[] {
  return ['iss', 'exp', ...required, ...requiredClaims].map(claim =>
    typeof claim === 'string' ? [claim] : claim,
  )
}

/** The token formats of the supported issuers. */
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
   * Microsoft Entra ID and Azure AD B2C, v1.0 and v2.0 tokens. `scp` contains delegated permissions, `roles` contains
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
  /** Auth0 with both token formats: its own format with `azp`, and RFC 9068 with `client_id`. */
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
   * Keycloak. The claim `typ` is `Bearer` or `DPoP` in access tokens, and has other values in ID, refresh and logout
   * tokens.
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
  /** Okta custom authorization servers. `scp` is a list, and `cid` is the client id. ID tokens have no `cid`. */
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
  /** Amazon Cognito. Access tokens have no `aud`, so `client_id` must be one of the configured audiences. */
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
  /** Other issuers of JWTs. Only `aud` is required; the option `requiredClaims` adds more claims. */
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
