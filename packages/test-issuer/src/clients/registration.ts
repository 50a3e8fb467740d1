import { randomBytes } from 'node:crypto'
import { acceptBothEd25519Names } from '../issue/ed25519-names.js'
import { isScope, isText, refuseUnknownNames, show } from '../known-names.js'

/** A grant that a client may use. */
export type GrantName = 'client_credentials' | 'token_exchange' | 'jwt_bearer'

/** How a client authenticates (RFC 6749 §2.3.1, RFC 7523 §2.2, OpenID Connect Core 1.0 §9). */
export type AuthenticationMethod =
  | 'client_secret_basic'
  | 'client_secret_post'
  | 'client_secret_jwt'
  | 'private_key_jwt'

/**
 * Which client assertions an issuer accepts. `rfc7523`: addressed to the issuer or to the token endpoint. `rfc10070`:
 * addressed to the issuer alone and typed `client-authentication+jwt`.
 */
export type ClientAssertionRules = 'rfc7523' | 'rfc10070'

/** A client's registration. The client may request what is listed here and nothing else. */
export interface ClientRegistration {
  clientId: string
  /** Its secret. Default: a random one, unless `jwks` is given. */
  clientSecret?: string
  /** Its public keys, for `private_key_jwt`. */
  jwks?: { readonly keys: readonly Readonly<Record<string, unknown>>[] }
  /** The only method it may use. Default: `private_key_jwt` with `jwks`, else any method that uses the secret. */
  authentication?: AuthenticationMethod
  /** The APIs its tokens may be for. A single one is also the default for requests that name none. */
  audience: string | readonly string[]
  /** Scopes it may request. A request without scopes gets all of them. */
  scopes?: readonly string[]
  /** Grants it may use. Default: `client_credentials`. */
  grants?: readonly GrantName[]
  /** The client's own audience as an API: tokens it exchanges must be for this audience. Default: any token of this issuer. */
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

/** @throws {TypeError} naming the member of the registration that is missing or invalid */
export function registerClient(given: ClientRegistration): RegisteredClient {
  checkRegistration(given)
  const { clientId, jwks, scopes = [], grants = ['client_credentials'], ownAudience } = given
  const method = methodOf(given)
  const secret = given.clientSecret ?? randomBytes(32).toString('base64url')
  return {
    clientId,
    clientSecret: method === 'private_key_jwt' ? undefined : secret,
    jwks: jwks === undefined ? undefined : { keys: jwks.keys.map(acceptBothEd25519Names) },
    methods: method === undefined ? secretMethods : [method],
    audiences: [given.audience].flat(),
    scopes,
    grants,
    ownAudience,
  }
}

function methodOf({ authentication, jwks }: ClientRegistration): AuthenticationMethod | undefined {
  return authentication ?? (jwks === undefined ? undefined : 'private_key_jwt')
}

const known = [
  'clientId',
  'clientSecret',
  'jwks',
  'authentication',
  'audience',
  'scopes',
  'grants',
  'ownAudience',
]
const grantNames: readonly GrantName[] = ['client_credentials', 'token_exchange', 'jwt_bearer']
const secretMethods: readonly AuthenticationMethod[] = [
  'client_secret_basic',
  'client_secret_post',
  'client_secret_jwt',
]
export const authenticationMethods: readonly AuthenticationMethod[] = [...secretMethods, 'private_key_jwt']

function checkRegistration(given: ClientRegistration): void {
  if (typeof given !== 'object' || given === null)
    throw new TypeError(`oauth-test-issuer: a client is ${show(given)}; it wants an object`)
  const { clientId, audience, scopes = [], ownAudience } = given
  if (!isText(clientId)) throw new TypeError('oauth-test-issuer: a client wants a clientId')
  refuseUnknownNames(`client ${clientId}`, given, known)
  if (audience === undefined || audience.length === 0)
    throw wrong(
      given,
      'audience is missing; name the APIs its tokens may be for, such as https://api.example.com',
    )
  if (![audience].flat().every(isText)) throw wrong(given, 'audience wants identifiers of APIs')
  if (ownAudience !== undefined && !isText(ownAudience))
    throw wrong(given, 'ownAudience wants the identifier of an API')
  if (!Array.isArray(scopes)) throw wrong(given, 'scopes wants a list, with one scope for each member')
  for (const scope of scopes)
    if (!isScope(scope))
      throw wrong(
        given,
        `${JSON.stringify(scope)} is no scope: give one for each member, without spaces (RFC 6749 §3.3)`,
      )
  checkMethods(given)
}

function checkMethods(given: ClientRegistration): void {
  const { grants = ['client_credentials'], authentication } = given
  if (!Array.isArray(grants) || grants.length === 0)
    throw wrong(given, `grants wants a list, with one or more of ${grantNames.join(', ')}`)
  const stranger = grants.find(grant => !grantNames.includes(grant))
  if (stranger !== undefined)
    throw wrong(given, `there is no grant ${JSON.stringify(stranger)}; there are ${grantNames.join(', ')}`)
  if (authentication !== undefined && !authenticationMethods.includes(authentication))
    throw wrong(
      given,
      `authentication is ${JSON.stringify(authentication)}; it wants one of ${authenticationMethods.join(', ')}`,
    )
  checkCredentials(given)
}

function checkCredentials(given: ClientRegistration): void {
  const { jwks, clientSecret } = given
  if (methodOf(given) === 'private_key_jwt' && jwks === undefined)
    throw wrong(given, 'private_key_jwt needs its public keys; give jwks: { keys: […] }')
  if (jwks !== undefined && !Array.isArray((jwks as { keys?: unknown } | null)?.keys))
    throw wrong(given, 'jwks wants a JWK set: { keys: […] }')
  if (clientSecret === undefined) return
  if (!isText(clientSecret)) throw wrong(given, 'clientSecret wants text')
  if (methodOf(given) === 'private_key_jwt')
    throw wrong(given, 'clientSecret does nothing beside jwks; leave one of them out, or give authentication')
}

function wrong({ clientId }: ClientRegistration, what: string): TypeError {
  return new TypeError(`oauth-test-issuer: client ${clientId}: ${what}`)
}
