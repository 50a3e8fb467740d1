import { randomBytes } from 'node:crypto'
import { isScope, isText, refuseUnknownNames, show } from './known-names.js'

/** What a client may ask the token endpoint for. */
export type GrantName = 'client_credentials' | 'token_exchange' | 'jwt_bearer'

/** How a client proves who it is (RFC 6749 §2.3.1, RFC 7523 §2.2). */
export type AuthenticationMethod = 'client_secret_basic' | 'client_secret_post' | 'private_key_jwt'

/** A client as it is registered: what it may ask for is what is listed here, and nothing else. */
export interface ClientRegistration {
  clientId: string
  /** Its secret. Without `jwks`, one is made up when none is given. */
  clientSecret?: string
  /** Its public keys, for `private_key_jwt`. */
  jwks?: { readonly keys: readonly Readonly<Record<string, unknown>>[] }
  /** The one way in which it must authenticate. Default: by its keys where it has some, else by its secret in either way. */
  authentication?: AuthenticationMethod
  /** Whom its tokens may be for. Where there is one, it needs not be asked for. */
  audience: string | readonly string[]
  /** Scopes it may have; all of them where it asks for none. */
  scopes?: readonly string[]
  /** Grants it may use. Default: client credentials alone. */
  grants?: readonly GrantName[]
  /** The audience by which it is itself called as an API: tokens it exchanges must be for it. Default: any token of this issuer. */
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

/** @throws {TypeError} naming what the registration lacks */
export function registerClient(given: ClientRegistration): RegisteredClient {
  checkRegistration(given)
  const { clientId, jwks, scopes = [], grants = ['client_credentials'], ownAudience } = given
  const method = methodOf(given)
  const secret = given.clientSecret ?? randomBytes(32).toString('base64url')
  return {
    clientId,
    clientSecret: method === 'private_key_jwt' ? undefined : secret,
    jwks,
    methods: method === undefined ? ['client_secret_basic', 'client_secret_post'] : [method],
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
const methods: readonly AuthenticationMethod[] = [
  'client_secret_basic',
  'client_secret_post',
  'private_key_jwt',
]

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
  if (authentication !== undefined && !methods.includes(authentication))
    throw wrong(
      given,
      `authentication is ${JSON.stringify(authentication)}; it wants one of ${methods.join(', ')}`,
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
