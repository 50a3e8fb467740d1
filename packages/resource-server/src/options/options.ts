import { availableParallelism } from 'node:os'
import type { Dispatcher } from 'undici'
import { scopeToken, type DpopMode, type DefaultAccess } from '../authorize/requirement.js'
import type { DpopSettings } from '../binding/check-binding.js'
import type { ClientCertificate } from '../binding/client-certificate.js'
import type { ResourceMetadataSettings } from '../describe/resource-metadata.js'
import { InvalidOptionError } from '../errors.js'
import { show } from '../suggest.js'
import type { KeyTimes } from '../keys/key-set.js'
import { claimsSchema } from './claims-option.js'
import { parseDpop, type DpopOptions } from './dpop-options.js'
import { issuerOptions, parseIssuers, type IssuerOptions, type IssuerSettings } from './issuer-options.js'
import { boolean, count, milliseconds, refuseUnknown, strings, wrong, type Given } from './read-option.js'
import { parseResourceMetadata, type ResourceMetadataOptions } from './resource-metadata-options.js'

/** What `register` takes: one issuer's options at the top level, or several in `issuers`. */
export interface ResourceServerOptions extends Partial<IssuerOptions> {
  /** Several issuers, each with its own keys, audiences and profile. */
  issuers?: readonly IssuerOptions[]
  /**
   * A JSON Schema for the claims, such as `Type.Object({ tenant: Type.String() })` of TypeBox; a token that does not
   * fit is refused. Declare its type in `OAuthTypes`, and `request.auth.claims` has it.
   */
  claims?: object
  /** Answer with problem details (RFC 9457) instead of Fastify's error body. Default false. */
  problemDetails?: boolean
  /** The catalogue: every scope that a route may ask for. A route that asks for another one fails at boot. */
  scopes?: readonly string[]
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
  /** Names the protection space in challenges (RFC 9110 §11.5). Default: none. */
  realm?: string
  /** How far clocks may be apart, in milliseconds. Default 5000. */
  clockToleranceMs?: number
  /** The oldest token that is accepted, by its `iat`, in milliseconds. Default: `exp` alone decides. */
  maxTokenAgeMs?: number
  /** Age at which the issuer's keys are renewed, in milliseconds; in the background from four fifths of it on. Default 300000. */
  jwksMaxAgeMs?: number
  /**
   * How long keys older than `jwksMaxAgeMs` stay in use while the issuer fails, in milliseconds (as stale-if-error of
   * RFC 5861 §4). Default 3600000.
   */
  jwksStaleIfErrorMs?: number
  /** Unknown key ids cause at most five requests to the issuer in this time, in milliseconds. Default 30000. */
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
export interface Settings {
  readonly issuers: readonly IssuerSettings[]
  readonly claims: object | undefined
  readonly problemDetails: boolean
  readonly scopes: readonly string[] | undefined
  readonly audiences: readonly string[]
  readonly defaultAccess: DefaultAccess
  readonly realm: string | undefined
  readonly dpop: DpopSettings | undefined
  readonly clientCertificate: ClientCertificate | undefined
  readonly resourceMetadata: ResourceMetadataSettings | undefined
  readonly securityScheme: string | undefined
  readonly clockToleranceMs: number
  readonly keyTimes: KeyTimes
  readonly prefetch: Prefetch
  readonly maxCachedTokens: number
  readonly verifyInThreadPool: boolean
  readonly allowInsecureHttp: boolean
  readonly issuerDispatcher: Dispatcher | undefined
  readonly clock: () => number
}

const serverOptions = [
  'issuers',
  'claims',
  'problemDetails',
  'scopes',
  'defaultAccess',
  'dpop',
  'clientCertificate',
  'resourceMetadata',
  'securityScheme',
  'realm',
  'clockToleranceMs',
  'maxTokenAgeMs',
  'jwksMaxAgeMs',
  'jwksStaleIfErrorMs',
  'unknownKeyCooldownMs',
  'prefetch',
  'maxCachedTokens',
  'verifyInThreadPool',
  'allowInsecureHttp',
  'issuerDispatcher',
  'clock',
] as const
/** Fastify's own options of `register`. */
const registerOptions = ['prefix', 'logLevel', 'logSerializers']

/**
 * Checks the options and fills in the defaults.
 * @throws {InvalidOptionError} naming the option, what it got, and what it wants
 */
export function parseOptions(options: ResourceServerOptions): Settings {
  const given = options as Given
  refuseUnknown(given, [...issuerOptions, ...serverOptions, ...registerOptions], '')
  const allowInsecureHttp = boolean(given, 'allowInsecureHttp')
  const clockToleranceMs = milliseconds(given, 'clockToleranceMs', 5_000)
  const maxTokenAgeMs = milliseconds(given, 'maxTokenAgeMs', Infinity)
  const issuers = parseIssuers(given, { allowInsecureHttp, clockToleranceMs, maxTokenAgeMs })

  const maxAgeMs = milliseconds(given, 'jwksMaxAgeMs', 300_000)
  const staleIfErrorMs = milliseconds(given, 'jwksStaleIfErrorMs', 3_600_000)
  const audiences = [...new Set(issuers.flatMap(({ rules }) => rules.audiences))]
  const clock = parseClock(given)
  return Object.freeze({
    issuers,
    claims: claimsSchema(given),
    problemDetails: boolean(given, 'problemDetails'),
    scopes: parseScopes(given),
    audiences,
    defaultAccess: parseDefaultAccess(given),
    realm: parseRealm(given),
    dpop: parseDpop(given, clock),
    clientCertificate: parseClientCertificate(given),
    resourceMetadata: parseResourceMetadata(given, audiences, allowInsecureHttp),
    securityScheme: parseSecurityScheme(given),
    clockToleranceMs,
    keyTimes: {
      maxAgeMs,
      keepMs: maxAgeMs + staleIfErrorMs,
      cooldownMs: milliseconds(given, 'unknownKeyCooldownMs', 30_000),
    },
    prefetch: parsePrefetch(given),
    maxCachedTokens: count(given, 'maxCachedTokens', 1_000, mostTokensKept),
    verifyInThreadPool: boolean(given, 'verifyInThreadPool', availableParallelism() > 1),
    allowInsecureHttp,
    issuerDispatcher: parseDispatcher(given),
    clock,
  })
}

/** Room for them is made at the start. */
const mostTokensKept = 1_000_000

function parseScopes(given: Given): readonly string[] | undefined {
  const scopes = strings(given, 'scopes', '')
  for (const scope of scopes ?? [])
    if (!scopeToken.test(scope))
      throw new InvalidOptionError(
        `option \`scopes\` has ${show(scope)}, which is no scope: give one scope for each member, without spaces`,
      )
  return scopes
}

function parseDefaultAccess({ defaultAccess = 'protected' }: Given): DefaultAccess {
  if (defaultAccess !== 'protected' && defaultAccess !== 'explicit' && defaultAccess !== 'public')
    throw wrong('defaultAccess', defaultAccess, "'protected', 'explicit' or 'public'")
  return defaultAccess
}

function parsePrefetch({ prefetch = 'background' }: Given): Prefetch {
  if (prefetch !== 'background' && prefetch !== 'required' && prefetch !== 'lazy')
    throw wrong('prefetch', prefetch, "'background', 'required' or 'lazy'")
  return prefetch
}

function parseClientCertificate({ clientCertificate }: Given): ClientCertificate | undefined {
  if (clientCertificate === undefined) return undefined
  if (clientCertificate !== 'socket' && typeof clientCertificate !== 'function')
    throw wrong(
      'clientCertificate',
      clientCertificate,
      "'socket', or a function that gives the certificate of a request as a trusted proxy passed it on",
    )
  return clientCertificate as ClientCertificate
}

function parseRealm(given: Given): string | undefined {
  const { realm } = given
  if (realm === undefined) return undefined
  if (typeof realm !== 'string' || !/^[\x20-\x7E]+$/.test(realm))
    throw wrong('realm', realm, 'printable ASCII text')
  return realm
}

function parseSecurityScheme({ securityScheme }: Given): string | undefined {
  if (securityScheme === undefined) return undefined
  // OpenAPI 3.1 §4.8.7.1: what a component may be called.
  if (typeof securityScheme !== 'string' || !/^[\w.-]+$/.test(securityScheme))
    throw wrong('securityScheme', securityScheme, "the name of a security scheme, such as 'oauth2'")
  return securityScheme
}

function parseDispatcher(given: Given): Dispatcher | undefined {
  const { issuerDispatcher } = given
  if (issuerDispatcher === undefined) return undefined
  const { dispatch, compose } = (issuerDispatcher ?? {}) as { dispatch?: unknown; compose?: unknown }
  if (typeof dispatch !== 'function' || typeof compose !== 'function')
    throw new InvalidOptionError(
      'option `issuerDispatcher` wants a dispatcher of undici 7, such as new ProxyAgent(…)',
    )
  return issuerDispatcher as Dispatcher
}

function parseClock(given: Given): () => number {
  const { clock = Date.now } = given
  if (typeof clock !== 'function')
    throw wrong('clock', clock, 'a function that returns milliseconds since the epoch')
  const time: unknown = clock()
  if (!Number.isFinite(time))
    throw new InvalidOptionError(
      `option \`clock\` is a function that returns ${String(time)}; it wants milliseconds since the epoch`,
    )
  return clock as () => number
}
