/** The claims of one token. */
export type Claims = Readonly<Record<string, unknown>>

/** The format of an issuer's access tokens. */
export interface Profile {
  /**
   * The accepted values of the header parameter `typ`, in lower case and without `application/`. Null means that
   * `typ` may be absent.
   */
  readonly types: readonly (string | null)[]
  /**
   * The required claims, in addition to `iss` and `exp`. A token must contain at least one claim from each inner list.
   */
  readonly required: readonly (string | readonly string[])[]
  /** Maps the names of claims to their accepted values. */
  readonly fixed: readonly (readonly [claim: string, values: readonly string[]])[]
  /** The claim that contains the audience. */
  readonly audience: string
  /** The claims that can contain the client id, in order of preference. */
  readonly clientId: readonly string[]
  /** The claims that contain scopes, as a space-delimited string or a list. */
  readonly scopes: readonly string[]
  /**
   * The paths of the claims that contain roles or application permissions. The path segment `{audience}` matches each
   * configured audience.
   */
  readonly roles: readonly (readonly string[])[]
  /** The paths of the claims that contain the user's groups (RFC 9068 §2.2.3.1). */
  readonly groups: readonly (readonly string[])[]
}

export type ProfileName = 'rfc9068' | 'entra' | 'auth0' | 'keycloak' | 'okta' | 'cognito' | 'generic'

function profile(row: Profile): Profile {
  return Object.freeze(row)
}

/** Returns the required claims. A token must contain at least one claim from each inner list. */
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
   * Microsoft Entra ID and Azure AD B2C, with v1.0 and v2.0 tokens. `scp` contains delegated permissions, and `roles`
   * contains application permissions. ID tokens have neither `azp` nor `appid`.
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
  /**
   * Auth0. Its tokens have one of two formats: Auth0's own format, which contains `azp`, or the format of RFC 9068,
   * which contains `client_id`.
   */
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
   * Keycloak. In access tokens, the claim `typ` is `Bearer` or `DPoP`. In ID, refresh and logout tokens, `typ` has
   * other values.
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
  /**
   * Okta custom authorization servers. `scp` is a list of scopes, and `cid` is the client id. ID tokens have no
   * `cid`.
   */
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
  /**
   * Any other issuer of JWTs. In addition to `iss` and `exp`, only `aud` is required. The option `requiredClaims` can
   * require more claims.
   */
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
