import type { webcrypto } from 'node:crypto'
import type { Dispatcher } from 'undici'
import { dpopKey } from '../acquire/dpop-key.js'
import { interceptorNames, type InterceptorOptions } from '../call/interceptors.js'
import type { SignAssertion } from '../authenticate/client-assertion.js'
import type { ClientCredentials } from '../authenticate/client-authentication.js'
import type { PrivateKeyInput } from '../authenticate/private-key.js'
import type { Provided } from '../authenticate/provide.js'
import { InvalidOptionError } from '../errors.js'
import { createSeal, noSeal } from '../share/seal.js'
import type { Sharing } from '../share/share-tokens.js'
import type { TokenStore } from '../share/token-store.js'
import type { Lifetimes } from '../token.js'
import { parseCredentials, type ClientAuthenticationMethod } from './credential-options.js'
import { presets, type OnBehalfOfGrant, type PresetName } from './presets.js'
import {
  boolean,
  dispatcher,
  fn,
  fraction,
  milliseconds,
  missing,
  oneOf,
  text,
  url,
  wrong,
  type Given,
} from './read-option.js'
import { parseParameters, type TargetOptions } from './target-options.js'

/** What {@link createTokenClient} takes. */
export interface TokenClientOptions extends TargetOptions {
  /** The API that is called, and the only origin the token is sent to. A path in it is put before every path. */
  baseUrl: string
  /** The issuer identifier: its metadata tells where the token endpoint is. */
  issuer?: string
  /** The token endpoint itself, instead of or besides `issuer`. */
  tokenEndpoint?: string
  /** How the authorization server wants to be asked. Default `standard`: as the RFCs have it. */
  preset?: PresetName
  clientId: string
  /** The client secret, or a function that gives it: called for each token request, and once more when it is refused. */
  clientSecret?: Provided<string> | undefined
  /** How the client authenticates. Default `client_secret_basic` with a secret, `private_key_jwt` with a key. */
  clientAuthentication?: ClientAuthenticationMethod
  /** A private key instead of a secret: `private_key_jwt` (RFC 7523 §2.2). PEM, JWK, KeyObject or CryptoKey, or a function. */
  privateKey?: Provided<PrivateKeyInput> | undefined
  /** Signs assertions with a key that is kept elsewhere, in a KMS say; wants `keyAlgorithm`. ECDSA signatures are r‖s (RFC 7518 §3.4). */
  signAssertion?: SignAssertion
  /** The key id in the assertion's header, where the server has several keys of this client. */
  keyId?: string
  /** The assertion's algorithm, where the key alone does not tell. RSA: `RS256`, and `PS256` with the preset `entra`. */
  keyAlgorithm?: string
  /** The certificate of `privateKey` as PEM, its chain behind it: named in assertions (`x5t#S256`, `x5t`, `x5c`), shown in mutual TLS. */
  certificate?: Provided<string> | undefined
  /** An assertion that somebody else makes for this client, or a function that gives it: federated identities (RFC 7521 §4.2). */
  clientAssertion?: Provided<string>
  /** A file with such an assertion, read for each token request: workload identity of Kubernetes. */
  clientAssertionFile?: string
  /** Whom assertions are for: the `issuer`, or the `token_endpoint`. Default: as the preset has it. */
  assertionAudience?: 'issuer' | 'token_endpoint'
  /** Certificate authorities to trust, as PEM, for the authorization server and the API. Default: those of Node. */
  ca?: string
  /** The grant that `onBehalfOf` uses: token exchange (RFC 8693) or JWT bearer (RFC 7523 §2.1). Default: as the preset has it. */
  onBehalfOfGrant?: OnBehalfOfGrant
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
  /** Interceptors of undici for calls: `{ retry: { maxRetries: 2 }, dns: true }`. The client puts each where it belongs. */
  interceptors?: InterceptorOptions
  /** The undici 7 dispatcher for token requests (a proxy, say); not closed by the client. */
  tokenDispatcher?: Dispatcher
  /** Where processes share their tokens, so that replicas that start together make one token request. See {@link redisTokenStore}. */
  tokenStore?: TokenStore
  /**
   * Keys that encrypt the tokens in `tokenStore` (AES-256-GCM): 32 bytes each, in base64. The first one encrypts, all of
   * them decrypt. `'none'`: tokens lie there as they are.
   */
  tokenStoreKeys?: readonly string[] | 'none'
  /** How long `tokenStore` is waited for, in milliseconds, before the client goes on without it. Default 250. */
  tokenStoreTimeoutMs?: number
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
  readonly allowInsecureHttp: boolean
  readonly clientId: string
  readonly credentials: ClientCredentials
  /** What the token is asked for, as it was given, and as parameters of the request. */
  readonly target: TargetOptions
  readonly parametersOf: (target: TargetOptions) => readonly (readonly [string, string])[]
  readonly onBehalfOfGrant: OnBehalfOfGrant
  readonly dpop: (() => Promise<webcrypto.CryptoKeyPair>) | undefined
  readonly tls: TlsSettings
  readonly lifetimes: Lifetimes
  readonly tokenTimeoutMs: number
  readonly dispatcher: Dispatcher | undefined
  readonly tokenDispatcher: Dispatcher | undefined
  readonly interceptors: InterceptorOptions
  readonly sharing: Pick<Sharing, 'store' | 'seal' | 'storeTimeoutMs'> | undefined
  readonly now: () => number
  readonly random: () => number
}

/** What connections are opened with, as `node:tls` has it. */
export interface TlsSettings {
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
}

const known = [
  'name',
  'prefetch',
  'baseUrl',
  'issuer',
  'tokenEndpoint',
  'preset',
  'clientId',
  'clientSecret',
  'clientAuthentication',
  'privateKey',
  'signAssertion',
  'keyId',
  'keyAlgorithm',
  'certificate',
  'clientAssertion',
  'clientAssertionFile',
  'assertionAudience',
  'ca',
  'scopes',
  'resource',
  'audience',
  'parameters',
  'onBehalfOfGrant',
  'dpop',
  'renewAfter',
  'tokenTimeoutMs',
  'allowInsecureHttp',
  'dispatcher',
  'interceptors',
  'tokenDispatcher',
  'tokenStore',
  'tokenStoreKeys',
  'tokenStoreTimeoutMs',
  'clock',
  'random',
]
/** Fastify's own options of `register`. */
const knownOfRegister = new Set(['logLevel', 'logSerializers', 'prefix'])

/**
 * Checks the options and fills in the defaults. No message holds a secret.
 * @throws {InvalidOptionError} naming the option, what it got, and what it wants
 */
export function parseOptions(options: TokenClientOptions, name: string): Settings {
  const given = options as unknown as Given
  for (const option of Object.keys(given))
    if (!known.includes(option) && !knownOfRegister.has(option))
      throw new InvalidOptionError(`there is no option \`${option}\`; it knows ${known.join(', ')}`)
  const preset = presets[oneOf(given, 'preset', Object.keys(presets) as PresetName[], 'standard')]
  const { scopes, resource, audience, parameters } = options
  const target = { scopes, resource, audience, parameters } as TargetOptions
  const settings: Settings = {
    name,
    ...parseServer(given),
    base: parseBase(given),
    clientId:
      text(given, 'clientId') ??
      missing('clientId', 'the identifier of this client at the authorization server'),
    credentials: parseCredentials(
      given,
      oneOf(given, 'assertionAudience', ['issuer', 'token_endpoint'], preset.assertionAudience),
      preset.rsaAlgorithm,
    ),
    target,
    parametersOf: wanted => parseParameters(wanted as unknown as Given, preset),
    onBehalfOfGrant: oneOf(given, 'onBehalfOfGrant', ['token_exchange', 'jwt_bearer'], preset.onBehalfOf),
    dpop: parseDpop(given),
    tls: parseTls(given),
    lifetimes: { renewAfter: fraction(given, 'renewAfter', 0.8), skewMs: 30_000 },
    tokenTimeoutMs: milliseconds(given, 'tokenTimeoutMs', 5_000),
    dispatcher: dispatcher(given, 'dispatcher'),
    tokenDispatcher: dispatcher(given, 'tokenDispatcher'),
    interceptors: parseInterceptors(given),
    sharing: parseSharing(given),
    now: fn(given, 'clock') ?? Date.now,
    random: fn(given, 'random') ?? Math.random,
  }
  settings.parametersOf(target) // what is wrong with it shows now, not with the first call
  return Object.freeze(settings)
}

function parseServer(given: Given): Pick<Settings, 'issuer' | 'tokenEndpoint' | 'allowInsecureHttp'> {
  const allowInsecureHttp = boolean(given, 'allowInsecureHttp')
  const issuer = url(given, 'issuer', allowInsecureHttp)
  const tokenEndpoint = url(given, 'tokenEndpoint', allowInsecureHttp)
  if (issuer === undefined && tokenEndpoint === undefined)
    missing(
      'issuer',
      "the authorization server's identifier, such as 'https://login.example.com/tenant', or tokenEndpoint",
    )
  return { issuer, tokenEndpoint, allowInsecureHttp }
}

function parseBase(given: Given): Settings['base'] {
  const base = new URL(
    url(given, 'baseUrl', boolean(given, 'allowInsecureHttp')) ??
      missing('baseUrl', "the API that is called, such as 'https://receipts.example.com'"),
  )
  if (base.search !== '' || base.hash !== '')
    throw wrong('baseUrl', given['baseUrl'], 'no query and no fragment')
  return { origin: base.origin, path: base.pathname.replace(/\/$/, '') }
}

/** Mutual TLS shows the certificate; its key is needed as it is, since connections are opened with it. */
function parseTls(given: Given): TlsSettings {
  const ca = text(given, 'ca')
  if (ca !== undefined && given['dispatcher'] !== undefined && given['tokenDispatcher'] !== undefined)
    throw new InvalidOptionError(
      'option `ca` does nothing with a `dispatcher` and a `tokenDispatcher` of your own; give it to them',
    )
  const trusted = ca === undefined ? {} : { ca }
  const { clientAuthentication: method, certificate, privateKey, tokenDispatcher } = given
  if (method !== 'tls_client_auth' && method !== 'self_signed_tls_client_auth') return trusted
  if (tokenDispatcher !== undefined && certificate === undefined) return trusted
  if (typeof certificate !== 'string' || typeof privateKey !== 'string')
    throw new InvalidOptionError(
      `\`${method}\` wants \`certificate\` and \`privateKey\` as PEM text, or a \`tokenDispatcher\` that has them`,
    )
  return { ...trusted, cert: certificate, key: privateKey }
}

function parseInterceptors({ interceptors = {} }: Given): InterceptorOptions {
  if (typeof interceptors !== 'object' || interceptors === null)
    throw wrong('interceptors', interceptors, 'an object such as { retry: true }')
  for (const [name, value] of Object.entries(interceptors)) {
    if (!(interceptorNames as readonly string[]).includes(name))
      throw new InvalidOptionError(
        `option \`interceptors\` has no \`${name}\`; it knows ${interceptorNames.join(', ')}`,
      )
    if (typeof value !== 'boolean' && (typeof value !== 'object' || value === null))
      throw wrong(`interceptors.${name}`, value, 'true, or the options of undici')
  }
  return interceptors
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

function parseSharing(options: Given): Settings['sharing'] {
  const { tokenStore: store, tokenStoreKeys: keys, tokenStoreTimeoutMs: timeout } = options
  if (store === undefined && keys === undefined && timeout === undefined) return undefined
  const storeTimeoutMs = milliseconds(options, 'tokenStoreTimeoutMs', 250)
  const methods = ['get', 'set', 'lock', 'unlock'] as const
  const given = store as Partial<TokenStore> | undefined
  if (!methods.every(method => typeof given?.[method] === 'function'))
    throw new InvalidOptionError(
      'option `tokenStore` wants a store with get, set, lock and unlock, such as redisTokenStore(new Redis(…))',
    )
  if (keys === 'none') return { store: given as TokenStore, seal: noSeal, storeTimeoutMs }
  const ring = Array.isArray(keys) ? keys.map(key => Buffer.from(String(key), 'base64')) : []
  if (ring.length === 0 || ring.some(key => key.length !== 32))
    throw new InvalidOptionError(
      "option `tokenStoreKeys` wants a list of keys of 32 bytes in base64 (`openssl rand -base64 32` makes one; is the environment variable set?), or 'none' for tokens that lie in the store unencrypted",
    )
  return { store: given as TokenStore, seal: createSeal(ring), storeTimeoutMs }
}
