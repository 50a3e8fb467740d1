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

/** The options that all clients share, independent of the source of tokens. */
export interface CommonOptions extends TargetOptions {
  /** The URL of the API. Tokens are sent to this origin only. A path in the URL precedes the path of every call. */
  baseUrl: string
  /**
   * The operations of an API contract (fastify-api-contract) that this client calls: `api.pick(…)`. Replaces `resource`
   * and `audience`, adds the scopes of the operations, and adds the method `call`.
   */
  api?: UsedApi
  /**
   * `shared` uses one token with the scopes of all operations of `api`. `per-operation` uses a separate token for each
   * operation, with only its scopes. Default `shared`.
   */
  tokens?: OperationTokens
  /**
   * The trusted certificate authorities in PEM format, for the authorization server and the API. Read once. Default:
   * those of Node.js.
   */
  ca?: string
  /**
   * The fraction of a token's lifetime after which it is renewed, between 0 and 1. Default 0.8, minus up to a tenth at
   * random.
   */
  renewAfter?: number
  /** The time limit of one token request in milliseconds, at most 120000. Default 5000. */
  issuerTimeoutMs?: number
  /** Allows plain http to other machines. Default false. */
  allowInsecureHttp?: boolean
  /** An undici 7 dispatcher for calls to the API. The client does not close it. Default: an `Agent`. */
  dispatcher?: Dispatcher
  /**
   * Interceptors of undici for calls, such as `{ retry: { maxRetries: 2 }, dns: true }`. The client puts each into a
   * safe position.
   */
  interceptors?: InterceptorOptions
  /**
   * Returns the time in milliseconds since the epoch, for tests. Default `Date.now`. Assertions and DPoP proofs always
   * use the system clock, because servers compare them with their own clocks.
   */
  clock?: () => number
}

/** Options of {@link createTokenClient} for tokens of an authorization server. */
export interface TokenClientOptions extends CommonOptions {
  /** The issuer identifier. Its metadata contains the token endpoint. */
  issuer?: string
  /** The URL of the metadata. Default: the well-known URLs of the issuer. */
  metadataUrl?: string
  /** The URL of the token endpoint. `issuer` is then optional. */
  tokenEndpoint?: string
  /** The format of token requests that the authorization server expects. Default `rfc9068`. */
  profile?: ProfileName
  clientId: string
  /**
   * The client secret, or a function that returns it. The function is called for each token request, and again if the
   * server refuses the secret.
   */
  clientSecret?: Provided<string> | undefined
  /** The client authentication method. Default: `client_secret_basic` with a secret, `private_key_jwt` with a key. */
  clientAuthentication?: ClientAuthenticationMethod
  /**
   * The private key for `private_key_jwt` (RFC 7523 §2.2) or mutual TLS: PEM, a JWK, a KeyObject, a CryptoKey, or a
   * function that returns one.
   */
  privateKey?: Provided<PrivateKeyInput> | undefined
  /** A file with the private key in PEM format, read for each token request. */
  privateKeyFile?: string
  /**
   * Signs assertions with a key outside of the process, such as in a KMS. Requires `keyAlgorithm`. ECDSA signatures
   * have the form r‖s (RFC 7518 §3.4).
   */
  signAssertion?: SignAssertion
  /** The `kid` header of assertions, for servers that know several keys of this client. */
  keyId?: string
  /** The algorithm of assertions. Default: from the key; RSA keys use `RS256`, or `PS256` with the profile `entra`. */
  keyAlgorithm?: string
  /**
   * The certificate of `privateKey` in PEM format, followed by its chain. It is named in assertions (`x5t#S256`, `x5t`,
   * `x5c`) or presented in mutual TLS.
   */
  certificate?: Provided<string> | undefined
  /** A file with the certificate, read for each token request. */
  certificateFile?: string
  /**
   * An assertion that another system issued, or a function that returns it, for federated identities (RFC 7521 §4.2).
   */
  clientAssertion?: Provided<string>
  /** A file with the client assertion, such as a projected Kubernetes token. Read for each token request. */
  clientAssertionFile?: string
  /**
   * The `client_assertion_type` of `clientAssertion` (RFC 7521 §4.2). Default:
   * `urn:ietf:params:oauth:client-assertion-type:jwt-bearer`.
   */
  clientAssertionType?: string
  /**
   * The audience of assertions: the `issuer` or the `token_endpoint`. The profile determines the default. Without
   * `issuer`, it is the token endpoint.
   */
  assertionAudience?: 'issuer' | 'token_endpoint'
  /**
   * The grant that `onBehalfOf` uses: token exchange (RFC 8693) or JWT bearer (RFC 7523 §2.1). The profile determines
   * the default.
   */
  onBehalfOfGrant?: OnBehalfOfGrant
  /**
   * Binds tokens to a key (RFC 9449), so that a stolen token is useless. `true` generates an ES256 key pair for this
   * process. A key pair of your own is also accepted.
   */
  dpop?: boolean | webcrypto.CryptoKeyPair
  /** An undici 7 dispatcher for token requests, such as a `ProxyAgent`. The client does not close it. */
  issuerDispatcher?: Dispatcher
  /** The store through which several processes share tokens. */
  tokenStore?: TokenStoreOptions
}

/** Options of {@link createTokenClient} for tokens that do not come from a token endpoint. */
export interface TokenSourceOptions extends CommonOptions {
  /**
   * Gets an access token from another source, such as a metadata server or a file. The client calls the function when
   * it needs a token, and caches the result.
   */
  tokenSource: TokenSource
}

/** The options of `register`. */
export type TokenClientPluginOptions = (TokenClientOptions | TokenSourceOptions) & {
  /** The name of the decorator: `receipts` creates `app.receipts`. */
  name: string
  /**
   * When the first token is requested: `background` after the application is ready, `required` before it is ready,
   * `lazy` with the first call. Default `background`.
   */
  prefetch?: 'background' | 'required' | 'lazy'
}

type AllOptions = TokenClientOptions & TokenSourceOptions

/** The options after each was validated separately. */
export type Checked = { readonly [Name in keyof AllOptions]-?: AllOptions[Name] | undefined }
