import type { webcrypto } from 'node:crypto'
import type { Dispatcher } from 'undici'
import type { ClientCredentials, PrivateKeyInput, Provided } from './acquire/client-authentication.js'
import { dpopKey } from './acquire/dpop-key.js'
import { InvalidOptionError } from './errors.js'
import { createSeal, noSeal, type Seal } from './share/seal.js'
import type { TokenStore } from './share/token-store.js'
import type { Lifetimes } from './token.js'

/** What {@link createTokenClient} takes. */
export interface TokenClientOptions {
  /** The API that is called, and the only origin the token is sent to. A path in it is put before every path. */
  baseUrl: string
  /** The issuer identifier: its metadata tells where the token endpoint is. */
  issuer?: string
  /** The token endpoint itself, instead of or besides `issuer`. */
  tokenEndpoint?: string
  clientId: string
  /** The client secret, or a function that gives it: called for each token request. */
  clientSecret?: Provided<string> | undefined
  /** How the secret is sent (RFC 6749 §2.3.1). Default `client_secret_basic`. */
  clientAuthentication?: 'client_secret_basic' | 'client_secret_post'
  /** A private key instead of a secret: `private_key_jwt` (RFC 7523 §2.2). PEM, JWK, KeyObject or CryptoKey, or a function. */
  privateKey?: Provided<PrivateKeyInput>
  /** The key id in the assertion's header, where the server has several keys of this client. */
  keyId?: string
  /** The assertion's algorithm, where the key alone does not tell: `PS256`, say. */
  keyAlgorithm?: string
  /** The scopes to ask for (RFC 6749 §3.3). */
  scopes?: readonly string[]
  /** Resource indicators (RFC 8707 §2). */
  resource?: string | readonly string[]
  /** The `audience` parameter of Auth0 and others. */
  audience?: string
  /** Further parameters of the token request. */
  parameters?: Readonly<Record<string, string>>
  /**
   * Binds the token to a key (RFC 9449): each request then carries a proof, and the token is of no use to a thief.
   * `true` makes an ES256 key for this process that never leaves it; or give a key pair of your own.
   */
  dpop?: boolean | webcrypto.CryptoKeyPair
  /** Part of a token's life after which it is renewed ahead, between 0 and 1. Default 0.8, less up to a tenth at random. */
  renewAfter?: number
  /** How long one token request may take, in milliseconds. Default 5000. */
  tokenTimeoutMs?: number
  /** Accept plain http to other machines. Default false. */
  allowInsecureHttp?: boolean
  /** The undici 7 dispatcher that calls go through; not closed by the client. Default: an `Agent` of its own. */
  dispatcher?: Dispatcher
  /** The undici 7 dispatcher for token requests (a proxy, say); not closed by the client. */
  tokenDispatcher?: Dispatcher
  /** Where processes share their tokens, so that replicas that start together make one token request. See {@link redisTokenStore}. */
  tokenStore?: TokenStore
  /**
   * Keys that encrypt the tokens in `tokenStore` (AES-256-GCM): 32 bytes each, in base64. The first one encrypts, all of
   * them decrypt. `'none'`: tokens lie there as they are.
   */
  tokenStoreKeys?: readonly string[] | 'none'
  /** The time in milliseconds since the epoch. Default `Date.now`. */
  clock?: () => number
  /** A number from 0 to 1. Default `Math.random`. */
  random?: () => number
}

/** What `register` takes. */
export interface TokenClientPluginOptions extends TokenClientOptions {
  /** The decorator: `receipts` makes `app.receipts`. */
  name: string
  /** When the first token is asked for: in the `background` once the application is ready (the default), `required` for it to be ready at all, or `lazy`: with the first call. */
  prefetch?: 'background' | 'required' | 'lazy'
}

/** Every option, checked, with its default. */
export interface Settings {
  readonly name: string
  readonly base: { readonly origin: string; readonly path: string }
  readonly issuer: string | undefined
  readonly tokenEndpoint: string | undefined
  readonly clientId: string
  readonly credentials: ClientCredentials
  readonly parameters: readonly (readonly [string, string])[]
  readonly dpop: (() => Promise<webcrypto.CryptoKeyPair>) | undefined
  readonly lifetimes: Lifetimes
  readonly tokenTimeoutMs: number
  readonly dispatcher: Dispatcher | undefined
  readonly tokenDispatcher: Dispatcher | undefined
  readonly sharing: { readonly store: TokenStore; readonly seal: Seal } | undefined
  readonly now: () => number
  readonly random: () => number
}

const known = [
  'name',
  'prefetch',
  'baseUrl',
  'issuer',
  'tokenEndpoint',
  'clientId',
  'clientSecret',
  'clientAuthentication',
  'privateKey',
  'keyId',
  'keyAlgorithm',
  'scopes',
  'resource',
  'audience',
  'parameters',
  'dpop',
  'renewAfter',
  'tokenTimeoutMs',
  'allowInsecureHttp',
  'dispatcher',
  'tokenDispatcher',
  'tokenStore',
  'tokenStoreKeys',
  'clock',
  'random',
  'logLevel',
  'logSerializers',
  'prefix',
]

type Given = Readonly<Record<string, unknown>>

/**
 * Checks the options and fills in the defaults. No message holds a secret.
 * @throws {InvalidOptionError} naming the option, what it got, and what it wants
 */
export function parseOptions(options: TokenClientOptions, name: string): Settings {
  const given = options as unknown as Given
  for (const option of Object.keys(given))
    if (!known.includes(option))
      throw new InvalidOptionError(
        `there is no option \`${option}\`; it knows ${known.slice(0, -3).join(', ')}`,
      )
  const insecure = given['allowInsecureHttp'] === true
  const base = new URL(
    url(given, 'baseUrl', insecure) ??
      missing('baseUrl', "the API that is called, such as 'https://receipts.example.com'"),
  )
  const issuer = url(given, 'issuer', insecure)
  const tokenEndpoint = url(given, 'tokenEndpoint', insecure)
  if (issuer === undefined && tokenEndpoint === undefined)
    missing(
      'issuer',
      "the authorization server's identifier, such as 'https://login.example.com/tenant', or tokenEndpoint",
    )
  if (base.search !== '' || base.hash !== '')
    throw wrong('baseUrl', given['baseUrl'], 'no query and no fragment')
  return Object.freeze({
    name,
    base: { origin: base.origin, path: base.pathname.replace(/\/$/, '') },
    issuer,
    tokenEndpoint,
    clientId:
      text(given, 'clientId') ??
      missing('clientId', 'the identifier of this client at the authorization server'),
    credentials: parseCredentials(given),
    parameters: parseParameters(given),
    dpop: parseDpop(given),
    lifetimes: { renewAfter: fraction(given, 'renewAfter', 0.8), skewMs: 30_000 },
    tokenTimeoutMs: milliseconds(given, 'tokenTimeoutMs', 5_000),
    dispatcher: dispatcher(given, 'dispatcher'),
    tokenDispatcher: dispatcher(given, 'tokenDispatcher'),
    sharing: parseSharing(given),
    now: fn(given, 'clock') ?? Date.now,
    random: fn(given, 'random') ?? Math.random,
  })
}

function parseCredentials(given: Given): ClientCredentials {
  const { clientSecret, privateKey, clientAuthentication: method = 'client_secret_basic' } = given
  if (privateKey !== undefined && clientSecret !== undefined)
    throw new InvalidOptionError(
      'options `clientSecret` and `privateKey` exclude each other; give one of them',
    )
  if (privateKey !== undefined)
    return {
      method: 'private_key_jwt',
      key: privateKey as Provided<PrivateKeyInput>,
      keyId: text(given, 'keyId'),
      algorithm: text(given, 'keyAlgorithm'),
    }
  if ((typeof clientSecret !== 'string' || clientSecret === '') && typeof clientSecret !== 'function')
    throw new InvalidOptionError(
      `option \`clientSecret\` is ${clientSecret === undefined ? 'missing' : 'not a secret'}; it wants a string or a function that gives one (is the environment variable set?), or give \`privateKey\``,
    )
  if (method !== 'client_secret_basic' && method !== 'client_secret_post')
    throw wrong('clientAuthentication', method, "'client_secret_basic' or 'client_secret_post'")
  return { method, secret: clientSecret as Provided<string> }
}

function parseParameters(given: Given): (readonly [string, string])[] {
  const { parameters = {} } = given
  if (
    typeof parameters !== 'object' ||
    parameters === null ||
    Object.values(parameters).some(value => typeof value !== 'string')
  )
    throw new InvalidOptionError('option `parameters` wants an object of strings')
  const scopes = strings(given, 'scopes')
  const resource = typeof given['resource'] === 'string' ? [given['resource']] : strings(given, 'resource')
  const audience = text(given, 'audience')
  return [
    ...(scopes.length === 0 ? [] : [['scope', scopes.join(' ')] as const]),
    ...resource.map(value => ['resource', value] as const),
    ...(audience === undefined ? [] : [['audience', audience] as const]),
    ...Object.entries(parameters as Record<string, string>),
  ]
}

function parseDpop({ dpop, tokenStore }: Given): Settings['dpop'] {
  if (dpop === undefined || dpop === false) return undefined
  const { privateKey, publicKey } = dpop as Partial<webcrypto.CryptoKeyPair>
  if (dpop !== true && (privateKey?.type !== 'private' || publicKey?.type !== 'public'))
    throw new InvalidOptionError(
      'option `dpop` wants true, or a CryptoKeyPair for ES256, EdDSA, RS256 or PS256',
    )
  if (tokenStore !== undefined)
    throw new InvalidOptionError(
      'options `dpop` and `tokenStore` exclude each other: a bound token is of use to the process that has its key only',
    )
  return dpopKey(dpop as true | webcrypto.CryptoKeyPair)
}

function parseSharing({ tokenStore: store, tokenStoreKeys: keys }: Given): Settings['sharing'] {
  if (store === undefined && keys === undefined) return undefined
  const methods = ['get', 'set', 'lock', 'unlock'] as const
  const given = store as Partial<TokenStore> | undefined
  if (!methods.every(method => typeof given?.[method] === 'function'))
    throw new InvalidOptionError(
      'option `tokenStore` wants a store with get, set, lock and unlock, such as redisTokenStore(new Redis(…))',
    )
  if (keys === 'none') return { store: given as TokenStore, seal: noSeal }
  const ring = Array.isArray(keys) ? keys.map(key => Buffer.from(String(key), 'base64')) : []
  if (ring.length === 0 || ring.some(key => key.length !== 32))
    throw new InvalidOptionError(
      "option `tokenStoreKeys` wants a list of keys of 32 bytes in base64 (`openssl rand -base64 32` makes one; is the environment variable set?), or 'none' for tokens that lie in the store unencrypted",
    )
  return { store: given as TokenStore, seal: createSeal(ring) }
}

/** https, or plain http on this machine. */
function isTrustworthy({ protocol, hostname }: URL): boolean {
  return (
    protocol === 'https:' ||
    (protocol === 'http:' && /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(hostname))
  )
}

function url(given: Given, name: string, insecure: boolean): string | undefined {
  const value = given[name]
  if (value === undefined) return undefined
  if (typeof value !== 'string' || !URL.canParse(value)) throw wrong(name, value, 'an absolute URL')
  if (!insecure && !isTrustworthy(new URL(value)))
    throw wrong(name, value, 'an https URL, or http on this machine; or set allowInsecureHttp')
  return value
}

function text(given: Given, name: string): string | undefined {
  const value = given[name]
  if (value === undefined) return undefined
  if (typeof value !== 'string' || value === '') throw wrong(name, value, 'text')
  return value
}

function strings(given: Given, name: string): readonly string[] {
  const { [name]: value = [] } = given
  if (!Array.isArray(value) || value.some(member => typeof member !== 'string' || member === ''))
    throw wrong(name, value, 'a list of strings')
  return value as string[]
}

function fraction(given: Given, name: string, fallback: number): number {
  const { [name]: value = fallback } = given
  if (typeof value !== 'number' || !(value > 0 && value < 1))
    throw wrong(name, value, 'a number between 0 and 1')
  return value
}

function milliseconds(given: Given, name: string, fallback: number): number {
  const { [name]: value = fallback } = given
  if (typeof value !== 'number' || !(value > 0)) throw wrong(name, value, 'milliseconds, as a number above 0')
  return value
}

function fn(given: Given, name: string): (() => number) | undefined {
  const value = given[name]
  if (value !== undefined && typeof value !== 'function')
    throw wrong(name, value, 'a function that returns a number')
  return value as (() => number) | undefined
}

function dispatcher(given: Given, name: string): Dispatcher | undefined {
  const value = given[name] as { dispatch?: unknown; compose?: unknown } | undefined
  if (value === undefined) return undefined
  if (typeof value?.dispatch !== 'function' || typeof value.compose !== 'function')
    throw new InvalidOptionError(`option \`${name}\` wants a dispatcher of undici 7, such as new Agent(…)`)
  return value as unknown as Dispatcher
}

function missing(name: string, wanted: string): never {
  throw new InvalidOptionError(`option \`${name}\` is missing; it wants ${wanted}`)
}

function wrong(name: string, value: unknown, wanted: string): Error {
  return new InvalidOptionError(
    `option \`${name}\` is ${(JSON.stringify(value) ?? String(value)).slice(0, 100)}; it wants ${wanted}`,
  )
}
