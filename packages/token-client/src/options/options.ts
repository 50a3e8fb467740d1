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

/** The options that all clients have, regardless of the source of their tokens. */
export interface CommonOptions extends TargetOptions {
  /**
   * The URL of the API. The token is sent only to the origin of this URL. The path of this URL is prepended to the path
   * of every call.
   */
  baseUrl: string
  /**
   * The operations of an API contract that this client calls: the result of `api.pick(…)` from fastify-api-contract.
   * This option replaces `resource` and `audience`, adds the scopes of the operations, and adds the method `call` to
   * the client.
   */
  api?: UsedApi
  /**
   * `shared` uses one token with the scopes of all operations of `api`. `per-operation` uses a separate token for each
   * operation, with only the scopes of that operation. Default `shared`.
   */
  tokens?: OperationTokens
  /**
   * The trusted certificate authorities in PEM format, for the authorization server and the API. Default: the
   * certificate authorities that Node.js trusts.
   */
  ca?: string
  /**
   * The fraction of a token's lifetime after which the token is renewed, between 0 and 1. Each renewal begins earlier
   * by a random amount of up to 10 %. Default 0.8.
   */
  renewAfter?: number
  /** The time limit of one token request in milliseconds, at most 120000. Default 5000. */
  issuerTimeoutMs?: number
  /** Allows http URLs for hosts other than localhost. Default false. */
  allowInsecureHttp?: boolean
  /** An undici 7 dispatcher for calls to the API. The client does not close this dispatcher. Default: an `Agent`. */
  dispatcher?: Dispatcher
  /**
   * The undici interceptors for calls to the API, such as `{ retry: { maxRetries: 2 }, dns: true }`. The client
   * composes the interceptors in a safe order.
   */
  interceptors?: InterceptorOptions
  /**
   * A function that replaces the clock in tests and returns the time in milliseconds since the epoch. Default
   * `Date.now`. Assertions and DPoP proofs always use the system clock, because servers check them against their own
   * clocks.
   */
  clock?: () => number
}

/** Options of {@link createTokenClient} for tokens from an authorization server. */
export interface TokenClientOptions extends CommonOptions {
  /** The issuer identifier. The issuer's metadata contains the token endpoint. */
  issuer?: string
  /** The URL of the issuer's metadata. Default: the well-known URLs of the issuer. */
  metadataUrl?: string
  /** The URL of the token endpoint. If this option is set, `issuer` is optional. */
  tokenEndpoint?: string
  /** The format of token requests that the authorization server expects. Default `rfc9068`. */
  profile?: ProfileName
  clientId: string
  /**
   * The client secret, or a function that returns the secret. The function is called for each token request, and again
   * if the server rejects the secret.
   */
  clientSecret?: Provided<string> | undefined
  /** The client authentication method. Default: `client_secret_basic` with a secret, `private_key_jwt` with a key. */
  clientAuthentication?: ClientAuthenticationMethod
  /**
   * The private key for `private_key_jwt` (RFC 7523 §2.2) or mutual TLS: PEM, a JWK, a KeyObject, a CryptoKey, or a
   * function that returns one.
   */
  privateKey?: Provided<PrivateKeyInput> | undefined
  /** The path of a file with the private key in PEM format. The file is read for each token request. */
  privateKeyFile?: string
  /**
   * A function that signs assertions with a key outside the process, for example in a KMS. Requires `keyAlgorithm`.
   * ECDSA signatures must have the form r‖s (RFC 7518 §3.4).
   */
  signAssertion?: SignAssertion
  /** The `kid` header of assertions, for a client with several registered keys. */
  keyId?: string
  /**
   * The signing algorithm of assertions. Default: the algorithm of the key. For RSA keys, the default is `RS256`, or
   * `PS256` with the profile `entra`.
   */
  keyAlgorithm?: string
  /**
   * The certificate for `privateKey` in PEM format, followed by its chain. The certificate is identified in assertions
   * (`x5t#S256`, `x5t`, `x5c`), or presented in mutual TLS.
   */
  certificate?: Provided<string> | undefined
  /** The path of a file with the certificate. The file is read for each token request. */
  certificateFile?: string
  /**
   * A client assertion issued by another system, or a function that returns one, for federated identities (RFC 7521
   * §4.2).
   */
  clientAssertion?: Provided<string>
  /**
   * The path of a file with the client assertion, such as a projected Kubernetes token. The file is read for each token
   * request.
   */
  clientAssertionFile?: string
  /**
   * The `client_assertion_type` of `clientAssertion` (RFC 7521 §4.2). Default:
   * `urn:ietf:params:oauth:client-assertion-type:jwt-bearer`.
   */
  clientAssertionType?: string
  /**
   * The audience of assertions: `issuer` or `token_endpoint`. The default depends on the profile. If the option
   * `issuer` is not set, the token endpoint is always used.
   */
  assertionAudience?: 'issuer' | 'token_endpoint'
  /**
   * The grant that `onBehalfOf` uses: token exchange (RFC 8693) or JWT bearer (RFC 7523 §2.1). The default depends on
   * the profile.
   */
  onBehalfOfGrant?: OnBehalfOfGrant
  /**
   * Binds tokens to a key with DPoP (RFC 9449), so that a stolen token is useless without the key. `true` generates an
   * ES256 key pair for this process. You can also pass your own key pair. Default false.
   */
  dpop?: boolean | webcrypto.CryptoKeyPair
  /** An undici 7 dispatcher for token requests, such as a `ProxyAgent`. The client does not close this dispatcher. */
  issuerDispatcher?: Dispatcher
  /** The store through which several processes share tokens. */
  tokenStore?: TokenStoreOptions
}

/** Options of {@link createTokenClient} for tokens that do not come from a token endpoint. */
export interface TokenSourceOptions extends CommonOptions {
  /**
   * A function that gets access tokens from another source, such as a metadata server or a file. The client calls the
   * function when it needs a token, and caches the result.
   */
  tokenSource: TokenSource
}

/** The options of `register`. */
export type TokenClientPluginOptions = (TokenClientOptions | TokenSourceOptions) & {
  /** The name of the Fastify decorator. For example, `receipts` creates `app.receipts`. */
  name: string
  /**
   * When the client requests its first token. `background` requests the token at startup without delaying startup.
   * `required` delays startup until the token has arrived. `lazy` requests the token with the first call. Default
   * `background`.
   */
  prefetch?: 'background' | 'required' | 'lazy'
}

type AllOptions = TokenClientOptions & TokenSourceOptions

/**
 * The options after each one has been validated on its own. Contradictions between options have not been checked yet.
 */
export type Checked = { readonly [Name in keyof AllOptions]-?: AllOptions[Name] | undefined }
