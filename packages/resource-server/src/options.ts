import { availableParallelism } from 'node:os'
import type { Dispatcher } from 'undici'
import type { Undecided } from './authorize/requirement.js'
import { InvalidOptionError } from './errors.js'
import {
  boolean,
  count,
  milliseconds,
  refuseUnknown,
  strings,
  url,
  wrong,
  type Given,
} from './read-option.js'
import type { ClaimRules } from './verify/check-claims.js'
import { isTrustworthyUrl } from './verify/issuer.js'
import type { KeyTimes } from './verify/key-set.js'
import { profiles, type ProfileName } from './verify/profiles.js'
import { supportedAlgorithms, type Algorithm, type Jwk } from './verify/public-key.js'

/** One issuer whose tokens are accepted. */
export interface IssuerOptions {
  /**
   * The issuer identifier, exactly as in the tokens' `iss` (RFC 8414 §2): https, or http on this machine.
   * `{tenantid}` in it stands for the token's own `tid` (multi-tenant Entra ID); give `metadataUrl` or `jwksUri` then.
   */
  issuer: string
  /** Whom the token has to be for: `aud` (RFC 7519 §4.1.3). Several: any of them. With the profile `cognito`, the client ids. */
  audience: string | readonly string[]
  /** How the issuer writes its access tokens. Default `rfc9068`. */
  profile?: ProfileName
  /** Where the keys are (RFC 7517 §5). Default: discovered from the issuer's metadata. */
  jwksUri?: string
  /** Where the metadata is, when not at the issuer's well-known places. */
  metadataUrl?: string
  /** The keys themselves, for tests and for issuers without a JWKS endpoint; nothing is fetched then. */
  keys?: readonly Jwk[]
  /** Signature algorithms that are accepted (RFC 8725 §3.1). Default: every asymmetric one; a key decides which fit it. */
  algorithms?: readonly Algorithm[]
  /** Claims that have to be present, besides those of the profile. */
  requiredClaims?: readonly string[]
}

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
   * What a route means that has no `config.oauth`: `require` any valid token, `deny` the application its start, or
   * `ignore` the route. Default `require`.
   */
  default?: 'require' | 'deny' | 'ignore'
  /** Names the protection space in challenges (RFC 9110 §11.5). Default: none. */
  realm?: string
  /** How far clocks may be apart, in milliseconds. Default 5000. */
  clockToleranceMs?: number
  /** The oldest token that is accepted, by its `iat`, in milliseconds. Default: `exp` alone decides. */
  maxTokenAgeMs?: number
  /** Age at which keys are renewed, in milliseconds; in the background from four fifths of it on. Default 300000. */
  keysMaxAgeMs?: number
  /** How long keys serve through an outage of the issuer, in milliseconds, counted from their last renewal. Default 3600000. */
  keysKeepMs?: number
  /** Unknown key ids cause at most one request to the issuer in this time, in milliseconds. Default 30000. */
  unknownKeyCooldownMs?: number
  /** `true`: `ready()` fails when an issuer's keys cannot be had. Default: they are fetched in the background. */
  requireKeysAtBoot?: boolean
  /** How many verified tokens are remembered; 0 verifies every time. Default 1000. */
  cacheSize?: number
  /**
   * While requests with new tokens come close upon each other, verify their signatures in the thread pool as well as
   * on the main thread. Default: `true` where the machine has several processors. Give `false` where they all have
   * work already, as with one process for each.
   */
  verifyInThreadPool?: boolean
  /** Accept plain http to other machines. Default false. */
  allowInsecureHttp?: boolean
  /** An undici 7 dispatcher for requests to issuers (a proxy, say); it is not closed by the plugin. */
  dispatcher?: Dispatcher
  /** The time in milliseconds since the epoch. Default `Date.now`. */
  clock?: () => number
}

/** One issuer after its options were checked. */
export interface IssuerSettings {
  readonly rules: ClaimRules
  readonly algorithms: readonly Algorithm[]
  readonly keys: readonly Jwk[] | undefined
  readonly jwksUri: string | undefined
  readonly metadataUrl: string | undefined
}

/** Every option, checked, with its default: what the rest of the package works with. */
export interface Settings {
  readonly issuers: readonly IssuerSettings[]
  readonly claims: object | undefined
  readonly problemDetails: boolean
  readonly scopes: readonly string[] | undefined
  readonly audiences: readonly string[]
  readonly undecided: Undecided
  readonly realm: string | undefined
  readonly keyTimes: KeyTimes
  readonly requireKeysAtBoot: boolean
  readonly cacheSize: number
  readonly verifyInThreadPool: boolean
  readonly allowInsecureHttp: boolean
  readonly dispatcher: Dispatcher | undefined
  readonly clock: () => number
}

const issuerOptions = [
  'issuer',
  'audience',
  'profile',
  'jwksUri',
  'metadataUrl',
  'keys',
  'algorithms',
  'requiredClaims',
] as const
const serverOptions = [
  'issuers',
  'claims',
  'problemDetails',
  'scopes',
  'default',
  'realm',
  'clockToleranceMs',
  'maxTokenAgeMs',
  'keysMaxAgeMs',
  'keysKeepMs',
  'unknownKeyCooldownMs',
  'requireKeysAtBoot',
  'cacheSize',
  'verifyInThreadPool',
  'allowInsecureHttp',
  'dispatcher',
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
  const issuers = listIssuers(given).map(([issuer, at]) =>
    parseIssuer(issuer, at, { allowInsecureHttp, clockToleranceMs, maxTokenAgeMs }),
  )
  refuseRepeatedIssuers(issuers)

  const maxAgeMs = milliseconds(given, 'keysMaxAgeMs', 300_000)
  const keepMs = milliseconds(given, 'keysKeepMs', 3_600_000)
  if (keepMs < maxAgeMs) throw wrong('keysKeepMs', keepMs, `at least keysMaxAgeMs (${maxAgeMs})`)
  return Object.freeze({
    issuers,
    claims: claimsSchema(given),
    problemDetails: boolean(given, 'problemDetails'),
    scopes: strings(given, 'scopes', ''),
    audiences: [...new Set(issuers.flatMap(({ rules }) => rules.audiences))],
    undecided: parseDefault(given),
    realm: parseRealm(given),
    keyTimes: { maxAgeMs, keepMs, cooldownMs: milliseconds(given, 'unknownKeyCooldownMs', 30_000) },
    requireKeysAtBoot: boolean(given, 'requireKeysAtBoot'),
    cacheSize: count(given, 'cacheSize', 1_000),
    verifyInThreadPool: boolean(given, 'verifyInThreadPool', availableParallelism() > 1),
    allowInsecureHttp,
    dispatcher: parseDispatcher(given),
    clock: parseClock(given),
  })
}

function listIssuers(given: Given): [Given, string][] {
  const { issuers } = given
  if (issuers === undefined) return [[given, '']]
  for (const name of issuerOptions)
    if (given[name] !== undefined)
      throw wrong(
        name,
        given[name],
        'inside `issuers`, or leave `issuers` out: the two ways exclude each other',
      )
  if (!Array.isArray(issuers) || issuers.length === 0)
    throw wrong('issuers', issuers, "a list such as [{ issuer: 'https://…', audience: '…' }]")
  return issuers.map((issuer: unknown, index) => {
    const at = `issuers[${index}].`
    if (typeof issuer !== 'object' || issuer === null)
      throw wrong(`issuers[${index}]`, issuer, "an object such as { issuer: 'https://…', audience: '…' }")
    refuseUnknown(issuer as Given, issuerOptions, at)
    return [issuer as Given, at]
  })
}

function parseIssuer(
  given: Given,
  at: string,
  shared: { allowInsecureHttp: boolean; clockToleranceMs: number; maxTokenAgeMs: number },
): IssuerSettings {
  const issuer = issuerIdentifier(given, at, shared.allowInsecureHttp)
  const profile = profiles[profileName(given, at)]
  const required = ['iss', 'exp', ...profile.required, ...(strings(given, 'requiredClaims', at) ?? [])]
  const jwksUri = url(given, 'jwksUri', at, shared.allowInsecureHttp)
  const metadataUrl = url(given, 'metadataUrl', at, shared.allowInsecureHttp)
  const keys = keyList(given, at)
  if (
    issuer.includes('{tenantid}') &&
    jwksUri === undefined &&
    metadataUrl === undefined &&
    keys === undefined
  )
    throw wrong(
      `${at}issuer`,
      issuer,
      'together with jwksUri, since no metadata can be looked up for a template',
    )
  return Object.freeze({
    rules: Object.freeze({
      issuer,
      profile,
      audiences: audiences(given, at),
      types: profile.types,
      required: required.map(claim => (typeof claim === 'string' ? [claim] : claim)),
      clockToleranceMs: shared.clockToleranceMs,
      maxTokenAgeMs: shared.maxTokenAgeMs,
    }),
    algorithms: algorithms(given, at),
    keys,
    jwksUri,
    metadataUrl,
  })
}

function issuerIdentifier(given: Given, at: string, allowInsecureHttp: boolean): string {
  const { issuer } = given
  const wanted =
    "the issuer's identifier, exactly as in the tokens' iss, such as 'https://login.example.com/tenant'"
  if (typeof issuer !== 'string' || !URL.canParse(issuer)) throw wrong(`${at}issuer`, issuer, wanted)
  if (!allowInsecureHttp && !isTrustworthyUrl(issuer))
    throw wrong(`${at}issuer`, issuer, 'an https URL, or http on this machine; or set allowInsecureHttp')
  return issuer
}

function audiences(given: Given, at: string): readonly string[] {
  const { audience } = given
  const list = typeof audience === 'string' ? [audience] : audience
  if (
    !Array.isArray(list) ||
    list.length === 0 ||
    list.some(member => typeof member !== 'string' || member === '')
  )
    throw wrong(
      `${at}audience`,
      audience,
      "whom the tokens have to be for, such as 'https://api.example.com'; without it, tokens for other services would pass",
    )
  return Object.freeze([...(list as string[])])
}

function algorithms(given: Given, at: string): readonly Algorithm[] {
  const list = strings(given, 'algorithms', at)
  if (list === undefined) return supportedAlgorithms
  for (const algorithm of list)
    if (!supportedAlgorithms.includes(algorithm as Algorithm))
      throw wrong(
        `${at}algorithms`,
        algorithm,
        `only asymmetric algorithms: ${supportedAlgorithms.join(', ')}`,
      )
  return list as readonly Algorithm[]
}

function keyList(given: Given, at: string): readonly Jwk[] | undefined {
  const { keys } = given
  if (keys === undefined) return undefined
  if (!Array.isArray(keys) || keys.length === 0)
    throw new InvalidOptionError(`option \`${at}keys\` wants a list of public keys as JWKs (RFC 7517 §4)`)
  return keys as readonly Jwk[]
}

function refuseRepeatedIssuers(issuers: readonly IssuerSettings[]): void {
  const seen = new Set<string>()
  for (const { rules } of issuers) {
    if (seen.has(rules.issuer))
      throw wrong('issuers', rules.issuer, 'each issuer once; give one issuer several audiences instead')
    seen.add(rules.issuer)
  }
}

function claimsSchema({ claims }: Given): object | undefined {
  if (claims === undefined) return undefined
  if (typeof claims !== 'object' || claims === null)
    throw wrong('claims', claims, 'a JSON Schema, such as Type.Object({ tenant: Type.String() })')
  return claims
}

function parseDefault(given: Given): Undecided {
  const { default: value = 'require' } = given
  if (value !== 'require' && value !== 'deny' && value !== 'ignore')
    throw wrong('default', value, "'require', 'deny' or 'ignore'")
  return value
}

function parseRealm(given: Given): string | undefined {
  const { realm } = given
  if (realm === undefined) return undefined
  if (typeof realm !== 'string' || !/^[\x20-\x7E]+$/.test(realm))
    throw wrong('realm', realm, 'printable ASCII text')
  return realm
}

function parseDispatcher(given: Given): Dispatcher | undefined {
  const { dispatcher } = given
  if (dispatcher === undefined) return undefined
  const { dispatch, compose } = (dispatcher ?? {}) as { dispatch?: unknown; compose?: unknown }
  if (typeof dispatch !== 'function' || typeof compose !== 'function')
    throw new InvalidOptionError(
      'option `dispatcher` wants a dispatcher of undici 7, such as new ProxyAgent(…)',
    )
  return dispatcher as Dispatcher
}

function parseClock(given: Given): () => number {
  const { clock = Date.now } = given
  if (typeof clock !== 'function')
    throw wrong('clock', clock, 'a function that returns milliseconds since the epoch')
  return clock as () => number
}

function profileName(given: Given, at: string): ProfileName {
  const { profile = 'rfc9068' } = given
  const known = Object.keys(profiles)
  if (typeof profile !== 'string' || !known.includes(profile))
    throw wrong(`${at}profile`, profile, `one of ${known.join(', ')}`)
  return profile as ProfileName
}
