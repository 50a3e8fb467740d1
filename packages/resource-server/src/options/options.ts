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

/** What `register` takes: one issuer's options at the top level, or several in `issuers`. */
export interface ResourceServerOptions extends Partial<IssuerOptions> {
  /**
   * Several issuers, each with its own keys, audiences and profile; or a function that looks up an issuer when a token
   * names one that is not known yet.
   */
  issuers?: readonly IssuerOptions[] | ResolveIssuer
  /**
   * The API that this server offers (fastify-api-contract). Its audience is the default of `audience`, its scopes are in
   * the catalogue, and the application does not start while an operation has no route.
   */
  api?: OfferedApi
  /**
   * A JSON Schema for the claims, such as `Type.Object({ tenant: Type.String() })` of TypeBox; a token that does not
   * fit is refused. Declare its type in `OAuthTypes`, and `request.auth.claims` has it.
   */
  claims?: object
  /**
   * `report`: every request is let in, and those that would be refused are reported (stats, events, log), so that the
   * plugin can be introduced into a running service. `request.auth` is null for every request. Default `enforce`.
   */
  mode?: Mode
  /** Answer with problem details (RFC 9457) instead of Fastify's error body. Default false. */
  problemDetails?: boolean
  /**
   * The catalogue: every scope that a route may require, besides those of `api`. A route that requires another one stops
   * the start. In an object, each scope has the scopes that it includes: a token with the scope is accepted wherever one
   * of those is required.
   */
  scopes?: readonly string[] | ScopeHierarchy
  /**
   * What applies to routes without `config.oauth`: `protected`, any valid token is required; `explicit`, such a route
   * stops the start; `public`, no token is required. Default `protected`.
   */
  defaultAccess?: DefaultAccess
  /** Take tokens that are bound to a client's key, with a proof of it (RFC 9449). Default `off`: they are refused. */
  dpop?: DpopMode | DpopOptions
  /**
   * Where the client's certificate comes from, for tokens that are bound to one (RFC 8705 §3). Default: they are refused.
   */
  clientCertificate?: ClientCertificate
  /**
   * Publish metadata of this API (RFC 9728) and name it in every challenge, so that a client finds the issuer by itself,
   * as those of the Model Context Protocol do. `true`: the audience is the API's URL. Default false.
   */
  resourceMetadata?: boolean | ResourceMetadataOptions
  /**
   * The name of a security scheme in the application's OpenAPI document (@fastify/swagger): each route then says there
   * which scopes it needs, and how it refuses. Default: nothing is said.
   */
  securityScheme?: string
  /**
   * Allow `fastify.oauth.revoke`, which refuses tokens before they expire. `true`: revocations are known to this process
   * only; replicas share them in a `store`. Default false.
   */
  revocation?: boolean | RevocationOptions
  /** Names the protection space in challenges (RFC 9110 §11.5): at most 256 characters. Default: none. */
  realm?: string
  /** How far clocks may be apart, in milliseconds. At most 600000; default 5000. */
  clockToleranceMs?: number
  /** The oldest token that is accepted, by its `iat`, in milliseconds. From 1000 to a year; default: `exp` alone decides. */
  maxTokenAgeMs?: number
  /** Age at which the issuer's keys are renewed, in milliseconds; in the background from four fifths of it on. From 1000 to a day; default 300000. */
  jwksMaxAgeMs?: number
  /**
   * How long keys older than `jwksMaxAgeMs` stay in use while the issuer fails, in milliseconds (as stale-if-error of
   * RFC 5861 §4). At most a week; default 3600000.
   */
  jwksStaleIfErrorMs?: number
  /** Unknown key ids cause at most five requests to the issuer in this time, in milliseconds. At most an hour; default 30000. */
  unknownKeyCooldownMs?: number
  /**
   * When the issuers' keys are first fetched: in the `background` once the application is ready, `required` for it to be
   * ready at all, or `lazy`, with the first request. Default `background`.
   */
  prefetch?: Prefetch
  /** How many verified tokens are remembered, up to 1000000; 0 verifies every time. Default 1000. */
  maxCachedTokens?: number
  /**
   * While requests with new tokens come close upon each other, verify their signatures in the thread pool as well as
   * on the main thread. Default: `true` where the machine has several processors. Give `false` where they all have
   * work already, as with one process for each.
   */
  verifyInThreadPool?: boolean
  /** How long one exchange with an issuer may take, in milliseconds. At most 120000; default 5000. */
  issuerTimeoutMs?: number
  /** Certificate authorities to trust for requests to issuers, as PEM, instead of those of Node. */
  ca?: string
  /** Accept plain http to other machines. Default false. */
  allowInsecureHttp?: boolean
  /** An undici 7 dispatcher for requests to issuers (a proxy, say); it is not closed by the plugin. */
  issuerDispatcher?: Dispatcher
  /** The time in milliseconds since the epoch. Default `Date.now`. */
  clock?: () => number
}

/** When the issuers' keys are first fetched. */
export type Prefetch = 'background' | 'required' | 'lazy'

/** Every option, checked, with its default: what the rest of the package works with. */
export interface Settings extends Catalogue {
  readonly issuers: readonly IssuerSettings[]
  /** Looks up an issuer that a token names; undefined: `issuers` are all there are. */
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

/** `issuers` and the options of one issuer are read apart: they exclude each other. */
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
      expected:
        "'socket', or a function that returns the certificate that a trusted proxy passed on with a request",
      fromText: true,
      read: value =>
        // What a function returns is checked for each request.
        value === 'socket' || typeof value === 'function' ? (value as ClientCertificate) : undefined,
    }),
  ),
  resourceMetadata: resourceMetadataOption,
  revocation: revocationOption,
  // OpenAPI 3.1 §4.8.7.1: what a component may be called.
  securityScheme: optional(text("the name of a security scheme, such as 'oauth2'", /^[\w.-]+$/)),
  realm: optional(text('printable ASCII text of at most 256 characters', /^[\x20-\x7E]{1,256}$/)),
  clockToleranceMs: withDefault(milliseconds({ max: 600_000 }), 5_000),
  maxTokenAgeMs: withDefault(milliseconds({ min: 1_000, max: 365 * day }), Infinity),
  jwksMaxAgeMs: withDefault(milliseconds({ min: 1_000, max: day }), 300_000),
  jwksStaleIfErrorMs: withDefault(milliseconds({ max: 7 * day }), 3_600_000),
  unknownKeyCooldownMs: withDefault(milliseconds({ max: 3_600_000 }), 30_000),
  prefetch: withDefault(oneOf(['background', 'required', 'lazy']), 'background'),
  // Room for all of them is allocated at the start.
  maxCachedTokens: withDefault(count({ max: 1_000_000 }), 1_000),
  verifyInThreadPool: withDefault(boolean(), availableParallelism() > 1),
  allowInsecureHttp: withDefault(boolean(), false),
  issuerTimeoutMs: withDefault(milliseconds({ min: 1, max: 120_000 }), 5_000),
  ca: optional(pem('certificate')),
  issuerDispatcher: optional(dispatcher<Dispatcher>()),
  clock: withDefault(clock(), Date.now),
} satisfies Declares<Omit<ResourceServerOptions, keyof IssuerOptions | 'issuers'>>

const toError = (message: string): Error => new InvalidOptionError(message)

/** Whom the options are given to. */
export interface Recipient {
  readonly subject: string
  /** Its options that are read elsewhere. */
  readonly ignored: readonly string[]
}

/** Fastify reads some options of its own. */
const register: Recipient = { subject: 'register', ignored: ['prefix', 'logLevel', 'logSerializers'] }

/**
 * Checks the options and fills in the defaults.
 * @param fixed options of a catalogue, instead of those of the same names
 * @throws {InvalidOptionError} naming the option, the value received and what was expected
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
      'option `ca` has no effect with `issuerDispatcher`; pass it to that dispatcher',
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
      'option `prefetch` is "required", but no issuer is known at the start if `issuers` is a function; leave it out',
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
      `option \`${name}\` has no effect with \`keys\`, because no request is sent to the issuer; leave one of them out`,
    )
}

/** Of issuers that are looked up later, only the audience of the API is known. */
function audiencesOf(issuers: readonly IssuerSettings[], api: OfferedApi | undefined): readonly string[] {
  const known = issuers.length === 0 && api !== undefined ? [api.audience] : []
  return [...new Set([...known, ...issuers.flatMap(({ rules }) => rules.audiences)])]
}
