import type { webcrypto } from 'node:crypto'
import type { Dispatcher } from 'undici'
import type { PrivateKeyInput, Provided, SignAssertion } from 'oauth-issuer-connection'
import type { InterceptorOptions } from '../call/interceptors.js'
import type { OperationTokens, UsedApi } from './api-option.js'
import type { ClientAuthenticationMethod } from './credential-options.js'
import type { OnBehalfOfGrant, ProfileName } from './profiles.js'
import type { TokenStoreOptions } from './sharing-options.js'
import type { TargetOptions } from './target-options.js'
import type { TokenSource } from './token-source-option.js'

/** Options of every client, wherever its tokens come from. */
export interface CommonOptions extends TargetOptions {
  /** The API that is called, and the only origin the token is sent to. A path in it is put before every path. */
  baseUrl: string
  /**
   * What this client uses of an API (fastify-api-contract): `api.pick(…)`, instead of `resource` and `audience`. Its scopes
   * are requested besides `scopes`, and the client has `call`.
   */
  api?: UsedApi
  /**
   * Which tokens calls of operations carry: `shared`, one with the scopes of all operations of `api`, or `per-operation`,
   * each one with the scopes of that operation. Default `shared`.
   */
  tokens?: OperationTokens
  /** Certificate authorities to trust, as PEM, for the authorization server and the API. Default: those of Node. */
  ca?: string
  /** Part of a token's life after which it is renewed ahead, between 0 and 1. Default 0.8, less up to a tenth at random. */
  renewAfter?: number
  /** How long one token request may take, in milliseconds. At most 120000; default 5000. */
  issuerTimeoutMs?: number
  /** Accept plain http to other machines. Default false. */
  allowInsecureHttp?: boolean
  /** The undici 7 dispatcher that calls go through; not closed by the client. Default: an `Agent` of its own. */
  dispatcher?: Dispatcher
  /** Interceptors of undici for calls: `{ retry: { maxRetries: 2 }, dns: true }`. The client puts each where it belongs. */
  interceptors?: InterceptorOptions
  /**
   * The time in milliseconds since the epoch. Default `Date.now`. Tokens, waits and `Retry-After` go by it; assertions and
   * proofs (`dpop`) carry the machine's time, since whoever reads them compares them with a clock of their own.
   */
  clock?: () => number
}

/** What {@link createTokenClient} takes for tokens of an authorization server. */
export interface TokenClientOptions extends CommonOptions {
  /** The issuer identifier: its metadata tells where the token endpoint is. */
  issuer?: string
  /** Where the metadata is, if not at the issuer's well-known places. */
  metadataUrl?: string
  /** The token endpoint itself, instead of or besides `issuer`. */
  tokenEndpoint?: string
  /** How the authorization server wants to be asked. Default `rfc9068`: as the RFCs have it. */
  profile?: ProfileName
  clientId: string
  /** The client secret, or a function that gives it: called for each token request, and once more when it is refused. */
  clientSecret?: Provided<string> | undefined
  /** How the client authenticates. Default `client_secret_basic` with a secret, `private_key_jwt` with a key. */
  clientAuthentication?: ClientAuthenticationMethod
  /** A private key instead of a secret: `private_key_jwt` (RFC 7523 §2.2). PEM, JWK, KeyObject or CryptoKey, or a function. */
  privateKey?: Provided<PrivateKeyInput> | undefined
  /** A file with the private key as PEM, read for each token request. */
  privateKeyFile?: string
  /** Signs assertions with a key that is kept elsewhere, in a KMS say; wants `keyAlgorithm`. ECDSA signatures are r‖s (RFC 7518 §3.4). */
  signAssertion?: SignAssertion
  /** The key id in the assertion's header, where the server has several keys of this client. */
  keyId?: string
  /** The assertion's algorithm, where the key alone does not tell. RSA: `RS256`, and `PS256` with the profile `entra`. */
  keyAlgorithm?: string
  /** The certificate of `privateKey` as PEM, its chain behind it: named in assertions (`x5t#S256`, `x5t`, `x5c`), shown in mutual TLS. */
  certificate?: Provided<string> | undefined
  /** A file with such a certificate, read for each token request. */
  certificateFile?: string
  /** An assertion that somebody else makes for this client, or a function that gives it: federated identities (RFC 7521 §4.2). */
  clientAssertion?: Provided<string>
  /** A file with such an assertion, read for each token request: workload identity of Kubernetes. */
  clientAssertionFile?: string
  /** The `client_assertion_type` of such an assertion (RFC 7521 §4.2). Default: `urn:ietf:params:oauth:client-assertion-type:jwt-bearer`. */
  clientAssertionType?: string
  /**
   * Whom assertions are for: the `issuer`, or the `token_endpoint`. Default: as the profile has it; the token endpoint,
   * where no `issuer` is given.
   */
  assertionAudience?: 'issuer' | 'token_endpoint'
  /** The grant that `onBehalfOf` uses: token exchange (RFC 8693) or JWT bearer (RFC 7523 §2.1). Default: as the profile has it. */
  onBehalfOfGrant?: OnBehalfOfGrant
  /**
   * Binds the token to a key (RFC 9449): each request then carries a proof, and the token is of no use to a thief.
   * `true` makes an ES256 key for this process that never leaves it; or give a key pair of your own.
   */
  dpop?: boolean | webcrypto.CryptoKeyPair
  /** The undici 7 dispatcher for token requests (a proxy, say); not closed by the client. */
  issuerDispatcher?: Dispatcher
  /** Where processes share their tokens, so that replicas that start together make one token request. */
  tokenStore?: TokenStoreOptions
}

/** What {@link createTokenClient} takes for tokens that do not come from a token endpoint. */
export interface TokenSourceOptions extends CommonOptions {
  /**
   * Gets an access token from elsewhere, such as a metadata server or a file. Called when a token is needed; the client
   * caches and renews the token as usual.
   */
  tokenSource: TokenSource
}

/** What `register` takes. */
export type TokenClientPluginOptions = (TokenClientOptions | TokenSourceOptions) & {
  /** The decorator: `receipts` makes `app.receipts`. */
  name: string
  /** When the first token is asked for: in the `background` once the application is ready (the default), `required` for it to be ready at all, or `lazy`: with the first call. */
  prefetch?: 'background' | 'required' | 'lazy'
}

type AllOptions = TokenClientOptions & TokenSourceOptions

/** The options after each one was checked on its own. */
export type Checked = { readonly [Name in keyof AllOptions]-?: AllOptions[Name] | undefined }
