import { randomBytes } from 'node:crypto'
import { isObject, listOf, oneOf, optional, parser, text, withDefault, type Declares } from 'declared-options'
import { acceptBothEd25519Names } from '../issue/ed25519-names.js'
import { audienceOption, readOptions, scopesOption, wrong } from '../read-options.js'

/** A grant that a client may use. */
export type GrantName = 'client_credentials' | 'token_exchange' | 'jwt_bearer'

/** A client authentication method (RFC 6749 §2.3.1, RFC 7523 §2.2, OpenID Connect Core 1.0 §9). */
export type AuthenticationMethod =
  | 'client_secret_basic'
  | 'client_secret_post'
  | 'client_secret_jwt'
  | 'private_key_jwt'

/**
 * The rules for client assertions. With `rfc7523`, the audience must be the issuer or the token endpoint. With
 * `rfc10070`, the issuer must be the only audience, and the `typ` header must be `client-authentication+jwt`.
 */
export type ClientAssertionRules = 'rfc7523' | 'rfc10070'

/** A client, with the audiences, scopes and grants that it may request. */
export interface ClientRegistration {
  clientId: string
  /** The client secret. Default: a random secret, unless `jwks` is set. */
  clientSecret?: string
  /** The client's public keys, for `private_key_jwt`. */
  jwks?: { readonly keys: readonly Readonly<Record<string, unknown>>[] }
  /**
   * The only authentication method that the client may use. Default: `private_key_jwt` if `jwks` is set, otherwise any method
   * that uses a client secret.
   */
  authentication?: AuthenticationMethod
  /**
   * The audiences that the client may request. If the list has only one audience, token requests may omit the audience.
   */
  audience: string | readonly string[]
  /**
   * The scopes that the client may request. If a token request does not specify scopes, the token has all of them.
   * Default: none.
   */
  scopes?: readonly string[]
  /** The grants that the client may use. Default: `client_credentials`. */
  grants?: readonly GrantName[]
  /**
   * The audience that a token must have for this client to exchange it. If the client is an API, set this option to the
   * identifier of that API. Default: any audience.
   */
  ownAudience?: string
}

/** A registered client. */
export interface RegisteredClient {
  readonly clientId: string
  readonly clientSecret: string | undefined
  readonly jwks: NonNullable<ClientRegistration['jwks']> | undefined
  readonly methods: readonly AuthenticationMethod[]
  readonly audiences: readonly string[]
  readonly scopes: readonly string[]
  readonly grants: readonly GrantName[]
  readonly ownAudience: string | undefined
}

const grantNames = ['client_credentials', 'token_exchange', 'jwt_bearer'] as const
const secretMethods = ['client_secret_basic', 'client_secret_post', 'client_secret_jwt'] as const
export const authenticationMethods: readonly AuthenticationMethod[] = [...secretMethods, 'private_key_jwt']

const declaration = {
  clientId: text('the id of the client'),
  clientSecret: optional(
    parser({
      expected: 'text',
      fromText: true,
      read: value => (typeof value === 'string' && value !== '' ? value : undefined),
    }),
  ),
  jwks: optional(
    parser({
      expected: 'a JWK set: { keys: […] }',
      read: value =>
        isObject(value) && Array.isArray(value['keys']) && value['keys'].every(isObject)
          ? (value as NonNullable<ClientRegistration['jwks']>)
          : undefined,
    }),
  ),
  authentication: optional(oneOf(authenticationMethods)),
  audience: audienceOption,
  scopes: withDefault(scopesOption, []),
  grants: withDefault(listOf(oneOf(grantNames), `a list of ${grantNames.join(', ')}`), [
    'client_credentials',
  ]),
  ownAudience: optional(text('the identifier of an API')),
} satisfies Declares<ClientRegistration>

/** @throws {TypeError} if a member of the registration is missing or invalid */
export function registerClient(given: ClientRegistration): RegisteredClient {
  const where =
    isObject(given) && typeof given.clientId === 'string' ? `client ${given.clientId}` : 'registerClient()'
  const { clientSecret, jwks, authentication, audience, ...client } = readOptions(where, given, declaration)
  const method = authentication ?? (jwks === undefined ? undefined : 'private_key_jwt')
  const usesKeys = method === 'private_key_jwt'
  if (usesKeys && jwks === undefined)
    throw wrong(where, 'private_key_jwt requires the public keys of the client in the option jwks')
  if (usesKeys && clientSecret !== undefined)
    throw wrong(where, '`clientSecret` has no effect with `jwks`; omit one of them, or set `authentication`')
  return {
    ...client,
    clientSecret: usesKeys ? undefined : (clientSecret ?? randomBytes(32).toString('base64url')),
    jwks: jwks && { keys: jwks.keys.map(acceptBothEd25519Names) },
    methods: method === undefined ? secretMethods : [method],
    audiences: audience,
  }
}
