import { availableParallelism } from 'node:os'
import {
  boolean,
  clock,
  count,
  dispatcher,
  milliseconds,
  oneOf,
  optional,
  parseOptions as parseDeclared,
  parser,
  pem,
  takeOptions,
  text,
  withDefault,
  type Declares,
} from 'declared-options'
import type { Dispatcher } from 'undici'
import type { Catalogue, DefaultAccess, DpopMode, Mode } from '../authorize/requirement.js'
import type { DpopSettings } from '../binding/check-binding.js'
import type { ClientCertificate } from '../binding/client-certificate.js'
import type { ResourceMetadataSettings } from '../describe/resource-metadata.js'
import { InvalidOptionError } from '../errors.js'
import type { KeyTimes } from '../keys/key-set.js'
import type { RevocationSettings } from '../revocation/revocations.js'
import { apiOption, withAudience, type OfferedApi } from './api-option.js'
import { claimsOption } from './claims-option.js'
import { dpopOption, dpopSettings, type DpopOptions } from './dpop-options.js'
import { issuerOptionNames, type IssuerOptions, type IssuerSettings } from './issuer-options.js'
import { readIssuers, type ResolveIssuer, type ResolveSettings } from './issuers-option.js'
import {
  resourceMetadataOption,
  resourceMetadataSettings,
  type ResourceMetadataOptions,
} from './resource-metadata-options.js'
import { revocationOption, type RevocationOptions } from './revocation-options.js'
import { scopeCatalogue, scopesOption, type ScopeHierarchy } from './scopes-option.js'

/**
 * The options of the plugin. For a single issuer, set its options at the top level. For several issuers, set
 * `issuers`.
 */
export interface ResourceServerOptions extends Partial<IssuerOptions> {
  /**
   * A list of issuers, each with its own keys, audiences and profile, or a function that looks up an issuer by the
   * `iss` claim of a token.
   */
  issuers?: readonly IssuerOptions[] | ResolveIssuer
  /**
   * The contract of this API, from fastify-api-contract. The contract provides the scopes and the default of
   * `audience`. The application refuses to start if an operation in the contract has no route.
   */
  api?: OfferedApi
  /**
   * A JSON Schema that the claims must match, such as `Type.Object({ tenant: Type.String() })` from TypeBox. Tokens
   * that do not match are refused. To type `request.auth.claims`, declare its type in `OAuthTypes`.
   */
  claims?: object
  /**
   * With `report`, every request is accepted, but requests that would otherwise be refused are reported in the stats,
   * the events and the log. `request.auth` is always null. Use this mode to introduce the plugin into a running
   * service. Default `enforce`.
   */
  mode?: Mode
  /** Responds with problem details (RFC 9457) instead of Fastify's error body. Default false. */
  problemDetails?: boolean
  /**
   * All scopes that routes may require, in addition to the scopes of `api`. The application refuses to start if a route
   * requires any other scope. If the value is an object, it maps each scope to the scopes that it includes. A token
   * with a scope is also accepted where an included scope is required.
   */
  scopes?: readonly string[] | ScopeHierarchy
  /**
   * How routes without `config.oauth` are protected. With `protected`, they require a valid token. With `explicit`, the
   * application refuses to start if such a route exists. With `public`, they require no token. Default `protected`.
   */
  defaultAccess?: DefaultAccess
  /**
   * Whether DPoP tokens, which are bound to a client's key, are accepted or required (RFC 9449). Default `off`: DPoP
   * tokens are refused.
   */
  dpop?: DpopMode | DpopOptions
  /**
   * Where the plugin gets a request's client certificate, which it needs to verify certificate-bound tokens (RFC 8705
   * §3). Default: certificate-bound tokens are refused.
   */
  clientCertificate?: ClientCertificate
  /**
   * Publishes metadata about this API (RFC 9728), so that clients such as MCP clients can find the issuer. Every
   * challenge contains the URL of the metadata. With `true`, the audience is used as the URL of the API. Default
   * false.
   */
  resourceMetadata?: boolean | ResourceMetadataOptions
  /**
   * The name of a security scheme in the OpenAPI document that @fastify/swagger generates. The plugin adds each
   * route's required scopes and possible refusals to the document. Default: the document is unchanged.
   */
  securityScheme?: string
  /**
   * Enables `fastify.oauth.revoke`, which revokes tokens before they expire. With `true`, revocations apply to this
   * process only. With a `store`, replicas share revocations. Default false.
   */
  revocation?: boolean | RevocationOptions
  /** The `realm` in `WWW-Authenticate` challenges (RFC 9110 §11.5), at most 256 characters. Default: no realm. */
  realm?: string
  /**
   * The tolerated difference between the issuer's clock and this machine's clock, in milliseconds. Maximum 600000;
   * default 5000.
   */
  clockToleranceMs?: number
  /**
   * The maximum age of a token since its `iat`, in milliseconds. Minimum 1000; maximum one year. Default: unlimited.
   */
  maxTokenAgeMs?: number
  /**
   * The maximum age of cached keys, in milliseconds. After four fifths of this time, the keys are renewed in the
   * background. Minimum 1000; maximum one day; default 300000.
   */
  jwksMaxAgeMs?: number
  /**
   * How long cached keys may still be used after `jwksMaxAgeMs` if new keys cannot be fetched, in milliseconds (like
   * stale-if-error, RFC 5861 §4). Maximum one week; default 3600000.
   */
  jwksStaleIfErrorMs?: number
  /**
   * The length of a period in milliseconds. Within each such period, tokens with unknown key ids cause at most five
   * requests to the issuer. Maximum one hour; default 30000.
   */
  unknownKeyCooldownMs?: number
  /**
   * When the plugin first fetches the issuers' keys: after the application is ready (`background`), before it is
   * ready (`required`), or with the first request (`lazy`). Default `background`.
   */
  prefetch?: Prefetch
  /** How many verified tokens are cached. Maximum 1000000; default 1000; 0 disables the cache. */
  maxCachedTokens?: number
  /**
   * Whether signatures are verified in Node's thread pool as well as on the main thread while many new tokens arrive at
   * once. Default: true on machines with several CPUs. Set it to false if you run one process per CPU.
   */
  verifyInThreadPool?: boolean
  /**
   * The time limit for fetching an issuer's metadata and keys, and for one introspection request, in milliseconds.
   * Maximum 120000; default 5000.
   */
  issuerTimeoutMs?: number
  /**
   * The certificate authorities that are trusted for requests to issuers, as PEM. Default: the certificate
   * authorities of Node.js.
   */
  ca?: string
  /** Allows http URLs for hosts other than localhost. Default false. */
  allowInsecureHttp?: boolean
  /**
   * An undici 7 dispatcher for requests to issuers, such as a `ProxyAgent`. The plugin does not close the dispatcher.
   */
  issuerDispatcher?: Dispatcher
  /** Returns the current time in milliseconds since the epoch. Default `Date.now`. */
  clock?: () => number
}

/** When the issuers' keys are first fetched. */
export type Prefetch = 'background' | 'required' | 'lazy'

/** The validated options, including the defaults of options that are not set. */
export interface Settings extends Catalogue {
  readonly issuers: readonly IssuerSettings[]
  /**
   * The function that looks up an issuer by the `iss` claim of a token. Undefined if the `issuers` option is not a
   * function.
   */
  readonly resolveIssuer: ResolveSettings | undefined
  readonly api: OfferedApi | undefined
  /** JSON Schema. */
  readonly claims: object | undefined
  readonly mode: Mode
  readonly problemDetails: boolean
  readonly realm: string | undefined
  readonly dpop: DpopSettings | undefined
  readonly clientCertificate: ClientCertificate | undefined
  readonly resourceMetadata: ResourceMetadataSettings | undefined
  readonly revocation: RevocationSettings | undefined
  readonly securityScheme: string | undefined
  readonly clockToleranceMs: number
  readonly keyTimes: KeyTimes
  readonly prefetch: Prefetch
  readonly maxCachedTokens: number
  readonly verifyInThreadPool: boolean
  readonly allowInsecureHttp: boolean
  readonly issuerTimeoutMs: number
  readonly ca: string | undefined
  readonly issuerDispatcher: Dispatcher | undefined
  readonly clock: () => number
}

const day = 86_400_000

/**
 * Parsers for the options that apply to all issuers. `readIssuers` parses the `issuers` option and, if there is only
 * one issuer, that issuer's options at the top level.
 */
const declaration = {
  api: optional(apiOption),
  claims: optional(claimsOption),
  mode: withDefault(oneOf(['enforce', 'report']), 'enforce'),
  problemDetails: withDefault(boolean(), false),
  scopes: optional(scopesOption),
  defaultAccess: withDefault(oneOf(['protected', 'explicit', 'public']), 'protected'),
  dpop: optional(dpopOption),
  clientCertificate: optional(
    parser({
      expected: "'socket', or a function that returns the client certificate from a trusted proxy",
      fromText: true,
      read: value =>
        value === 'socket' || typeof value === 'function' ? (value as ClientCertificate) : undefined,
    }),
  ),
  resourceMetadata: resourceMetadataOption,
  revocation: revocationOption,
  // OpenAPI 3.1 §4.8.7.1 allows only these characters in the name of a component.
  securityScheme: optional(text("the name of a security scheme, such as 'oauth2'", /^[\w.-]+$/)),
  realm: optional(text('a string of at most 256 printable ASCII characters', /^[\x20-\x7E]{1,256}$/)),
  clockToleranceMs: withDefault(milliseconds({ max: 600_000 }), 5_000),
  maxTokenAgeMs: withDefault(milliseconds({ min: 1_000, max: 365 * day }), Infinity),
  jwksMaxAgeMs: withDefault(milliseconds({ min: 1_000, max: day }), 300_000),
  jwksStaleIfErrorMs: withDefault(milliseconds({ max: 7 * day }), 3_600_000),
  unknownKeyCooldownMs: withDefault(milliseconds({ max: 3_600_000 }), 30_000),
  prefetch: withDefault(oneOf(['background', 'required', 'lazy']), 'background'),
  // `maxCachedTokens` has a maximum, because the cache allocates memory for all entries when it is created.
  maxCachedTokens: withDefault(count({ max: 1_000_000 }), 1_000),
  verifyInThreadPool: withDefault(boolean(), availableParallelism() > 1),
  allowInsecureHttp: withDefault(boolean(), false),
  issuerTimeoutMs: withDefault(milliseconds({ min: 1, max: 120_000 }), 5_000),
  ca: optional(pem('certificate')),
  issuerDispatcher: optional(dispatcher<Dispatcher>()),
  clock: withDefault(clock(), Date.now),
} satisfies Declares<Omit<ResourceServerOptions, keyof IssuerOptions | 'issuers'>>

const toError = (message: string): Error => new InvalidOptionError(message)

/** Describes the function that receives the options, such as `register` or `createVerifier`. */
export interface Recipient {
  readonly subject: string
  /** The names of options that are neither parsed nor rejected here, because other code reads them. */
  readonly ignored: readonly string[]
}

/** Fastify's `register` takes these options itself. */
const register: Recipient = { subject: 'register', ignored: ['prefix', 'logLevel', 'logSerializers'] }

/**
 * Validates the options and sets the defaults.
 * @param fixed the options set with `defineResourceServer`. They take precedence over `options`
 * @throws {InvalidOptionError} if an option is invalid. The message contains the option, the value received and the
 * expected value
 */
export function parseOptions(
  options: ResourceServerOptions,
  { subject, ignored: more }: Recipient = register,
  fixed: ResourceServerOptions = {},
): Settings {
  const context = { toError, subject, ignored: ['issuers', ...issuerOptionNames, ...more] }
  const given = { ...takeOptions(options, context), ...fixed }
  const {
    jwksMaxAgeMs: maxAgeMs,
    jwksStaleIfErrorMs,
    unknownKeyCooldownMs: cooldownMs,
    maxTokenAgeMs,
    dpop,
    resourceMetadata,
    ...server
  } = parseDeclared(given, declaration, context)
  if (server.ca !== undefined && server.issuerDispatcher !== undefined)
    throw new InvalidOptionError(
      'option `ca` has no effect with `issuerDispatcher`; set the certificate authorities in that dispatcher instead',
    )
  const { allowInsecureHttp, clockToleranceMs } = server
  const { issuers, resolveIssuer } = readIssuers(
    withAudience(given, server.api),
    { clockToleranceMs, maxTokenAgeMs, api: server.api },
    { option: '', allowInsecureHttp, toError },
  )
  if (resolveIssuer === undefined && !issuers.some(sendsRequests)) refuseRequestOptions(given)
  if (resolveIssuer !== undefined && server.prefetch === 'required')
    throw new InvalidOptionError(
      'option `prefetch` is "required", but no issuer is known at startup if `issuers` is a function; remove `prefetch`',
    )
  const audiences = audiencesOf(issuers, server.api)
  return Object.freeze({
    ...server,
    ...scopeCatalogue(server.scopes, server.api),
    issuers,
    resolveIssuer,
    audiences,
    dpop: dpopSettings(dpop, server.clock),
    resourceMetadata: resourceMetadataSettings(resourceMetadata, audiences, allowInsecureHttp),
    keyTimes: { maxAgeMs, keepMs: maxAgeMs + jwksStaleIfErrorMs, cooldownMs },
  })
}

/** Options that control requests to issuers. They have no effect if the plugin sends no such requests. */
const requestOptions = [
  'issuerDispatcher',
  'ca',
  'issuerTimeoutMs',
  'jwksMaxAgeMs',
  'jwksStaleIfErrorMs',
  'unknownKeyCooldownMs',
] as const satisfies readonly (keyof ResourceServerOptions)[]

function sendsRequests({ keys, introspection }: IssuerSettings): boolean {
  return keys === undefined || introspection !== undefined
}

function refuseRequestOptions(given: ResourceServerOptions): void {
  const name = requestOptions.find(option => given[option] !== undefined)
  if (name !== undefined)
    throw new InvalidOptionError(
      `option \`${name}\` has no effect with \`keys\`, because the plugin then sends no requests to the issuer; remove one of them`,
    )
}

/**
 * Returns the accepted audiences of all configured issuers. If `issuers` is a function, returns only the audience of
 * `api`.
 */
function audiencesOf(issuers: readonly IssuerSettings[], api: OfferedApi | undefined): readonly string[] {
  const known = issuers.length === 0 && api !== undefined ? [api.audience] : []
  return [...new Set([...known, ...issuers.flatMap(({ rules }) => rules.audiences)])]
}
