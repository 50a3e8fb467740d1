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

/** The options of the plugin. The options of a single issuer are at the top level; several issuers are in `issuers`. */
export interface ResourceServerOptions extends Partial<IssuerOptions> {
  /**
   * Several issuers, each with its own keys, audiences and profile, or a function that looks up an issuer when a
   * token names an unknown one.
   */
  issuers?: readonly IssuerOptions[] | ResolveIssuer
  /**
   * The contract of this API (fastify-api-contract). The contract provides the default of `audience` and the scopes. The
   * application does not start while an operation has no route.
   */
  api?: OfferedApi
  /**
   * A JSON Schema for the claims, such as `Type.Object({ tenant: Type.String() })` of TypeBox. Tokens that do not
   * match are refused. Declare the type in `OAuthTypes` to type `request.auth.claims`.
   */
  claims?: object
  /**
   * With `report`, every request is accepted, and requests that would be refused are reported (stats, events, log).
   * `request.auth` is null for every request. Use this mode to introduce the plugin into a running service. Default
   * `enforce`.
   */
  mode?: Mode
  /** Responds with problem details (RFC 9457) instead of Fastify's error body. Default false. */
  problemDetails?: boolean
  /**
   * All scopes that routes may require, in addition to those of `api`. The application does not start if a route
   * requires any other scope. In an object, each scope lists the scopes that it includes: a token with the scope is
   * accepted wherever an included scope is required.
   */
  scopes?: readonly string[] | ScopeHierarchy
  /**
   * The rule for routes without `config.oauth`: `protected` requires a valid token, `explicit` makes startup fail,
   * `public` requires no token. Default `protected`.
   */
  defaultAccess?: DefaultAccess
  /** Accepts DPoP tokens, which are bound to a client's key (RFC 9449). Default `off`: such tokens are refused. */
  dpop?: DpopMode | DpopOptions
  /**
   * The source of client certificates, for tokens that are bound to a certificate (RFC 8705 §3). Default: such tokens
   * are refused.
   */
  clientCertificate?: ClientCertificate
  /**
   * Publishes metadata of this API (RFC 9728), whose URL is in every challenge, so that clients such as those of MCP
   * can find the issuer. `true`: the audience is the URL of the API. Default false.
   */
  resourceMetadata?: boolean | ResourceMetadataOptions
  /**
   * The name of a security scheme in the OpenAPI document of @fastify/swagger. The plugin adds the required scopes
   * and the possible refusals to the documentation of each route. Default: the documentation is unchanged.
   */
  securityScheme?: string
  /**
   * Enables `fastify.oauth.revoke`, which refuses tokens before they expire. `true`: revocations apply to this
   * process only. A `store` shares them between replicas. Default false.
   */
  revocation?: boolean | RevocationOptions
  /** The `realm` of challenges (RFC 9110 §11.5), at most 256 characters. Default: none. */
  realm?: string
  /** The tolerated difference between clocks, in milliseconds. At most 600000; default 5000. */
  clockToleranceMs?: number
  /** The maximum age of a token by its `iat`, in milliseconds. From 1000 to a year. Default: unlimited. */
  maxTokenAgeMs?: number
  /**
   * The maximum age of cached keys, in milliseconds. Keys are renewed in the background from four fifths of this age
   * on. From 1000 to a day; default 300000.
   */
  jwksMaxAgeMs?: number
  /**
   * How long keys older than `jwksMaxAgeMs` are used while the issuer fails, in milliseconds (like stale-if-error,
   * RFC 5861 §4). At most a week; default 3600000.
   */
  jwksStaleIfErrorMs?: number
  /**
   * The period in which unknown key ids cause at most five requests to the issuer, in milliseconds. At most an hour;
   * default 30000.
   */
  unknownKeyCooldownMs?: number
  /**
   * When the issuers' keys are first fetched: `background`, after the application is ready; `required`, before it is
   * ready; `lazy`, with the first request. Default `background`.
   */
  prefetch?: Prefetch
  /** The maximum number of cached tokens, up to 1000000. 0 disables the cache. Default 1000. */
  maxCachedTokens?: number
  /**
   * While many new tokens arrive at once, verifies signatures in the thread pool as well as on the main thread.
   * Default: `true` on machines with several CPUs. Set it to `false` if you run one process per CPU.
   */
  verifyInThreadPool?: boolean
  /** The time limit of one exchange with an issuer, in milliseconds. At most 120000; default 5000. */
  issuerTimeoutMs?: number
  /** The trusted certificate authorities for requests to issuers, as PEM. Default: those of Node.js. */
  ca?: string
  /** Accepts plain http URLs of other machines. Default false. */
  allowInsecureHttp?: boolean
  /** An undici 7 dispatcher for requests to issuers, such as a `ProxyAgent`. The plugin does not close it. */
  issuerDispatcher?: Dispatcher
  /** Returns the time in milliseconds since the epoch. Default `Date.now`. */
  clock?: () => number
}

/** When the issuers' keys are first fetched. */
export type Prefetch = 'background' | 'required' | 'lazy'

/** The validated options with their defaults. */
export interface Settings extends Catalogue {
  readonly issuers: readonly IssuerSettings[]
  /** Looks up unknown issuers; undefined if all issuers are configured. */
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

/** The parsers of all options except `issuers` and the options of one issuer, which exclude each other. */
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
        // The result of the function is checked for each request.
        value === 'socket' || typeof value === 'function' ? (value as ClientCertificate) : undefined,
    }),
  ),
  resourceMetadata: resourceMetadataOption,
  revocation: revocationOption,
  // OpenAPI 3.1 §4.8.7.1: the allowed characters in the name of a component.
  securityScheme: optional(text("the name of a security scheme, such as 'oauth2'", /^[\w.-]+$/)),
  realm: optional(text('a string of at most 256 printable ASCII characters', /^[\x20-\x7E]{1,256}$/)),
  clockToleranceMs: withDefault(milliseconds({ max: 600_000 }), 5_000),
  maxTokenAgeMs: withDefault(milliseconds({ min: 1_000, max: 365 * day }), Infinity),
  jwksMaxAgeMs: withDefault(milliseconds({ min: 1_000, max: day }), 300_000),
  jwksStaleIfErrorMs: withDefault(milliseconds({ max: 7 * day }), 3_600_000),
  unknownKeyCooldownMs: withDefault(milliseconds({ max: 3_600_000 }), 30_000),
  prefetch: withDefault(oneOf(['background', 'required', 'lazy']), 'background'),
  // The cache allocates memory for all entries at the start.
  maxCachedTokens: withDefault(count({ max: 1_000_000 }), 1_000),
  verifyInThreadPool: withDefault(boolean(), availableParallelism() > 1),
  allowInsecureHttp: withDefault(boolean(), false),
  issuerTimeoutMs: withDefault(milliseconds({ min: 1, max: 120_000 }), 5_000),
  ca: optional(pem('certificate')),
  issuerDispatcher: optional(dispatcher<Dispatcher>()),
  clock: withDefault(clock(), Date.now),
} satisfies Declares<Omit<ResourceServerOptions, keyof IssuerOptions | 'issuers'>>

const toError = (message: string): Error => new InvalidOptionError(message)

/** The function that receives the options. */
export interface Recipient {
  readonly subject: string
  /** The names of options that are not parsed here, because other code reads them. */
  readonly ignored: readonly string[]
}

/** Fastify itself reads these options of `register`. */
const register: Recipient = { subject: 'register', ignored: ['prefix', 'logLevel', 'logSerializers'] }

/**
 * Validates the options and sets the defaults.
 * @param fixed options that override `options`, for `defineResourceServer`
 * @throws {InvalidOptionError} naming the option, the value received and the expected value
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

/** Options about requests to issuers, and about keys that are fetched. */
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

/** Returns the configured audiences. If issuers are looked up, only the audience of `api` is known. */
function audiencesOf(issuers: readonly IssuerSettings[], api: OfferedApi | undefined): readonly string[] {
  const known = issuers.length === 0 && api !== undefined ? [api.audience] : []
  return [...new Set([...known, ...issuers.flatMap(({ rules }) => rules.audiences)])]
}
