import { InvalidRouteError } from '../errors.js'
import type { Role, Scope } from '../oauth-types.js'
import { didYouMean, edits, show } from '../suggest.js'

/** What a route demands of an access token: `config: { oauth: … }`. */
export interface RouteRequirement<S extends string = Scope, R extends string = Role> {
  /** Scopes that the token must have (RFC 6749 §3.3): all of them, unless `match` says otherwise. */
  readonly scopes?: readonly [S, ...S[]]
  /** Whether `all` scopes are needed (the default), or `any` one of them is enough. */
  readonly match?: 'all' | 'any'
  /**
   * Roles or application permissions, any one of which is enough: `roles` of app-only Entra ID tokens, `permissions` of
   * Auth0. Together with `scopes`, either is enough.
   */
  readonly roles?: readonly [R, ...R[]]
  /** One of the configured audiences that the token must name, where there are several. */
  readonly audience?: string
  /**
   * `require`: only tokens that are bound to a key, with a DPoP proof of it (RFC 9449). `allow`: others too. `off`: only
   * others. Default: the mode of the option `dpop`.
   */
  readonly dpop?: DpopMode
  /** How the user must have authenticated: one of these values of `acr` (RFC 9470 §3). */
  readonly acr?: readonly [string, ...string[]]
  /** How long ago the user may have authenticated, by `auth_time`, in milliseconds (RFC 9470 §3). */
  readonly maxAgeMs?: number
  /** `true`: a request without a token is let in and has `request.auth === null`; a bad token is refused all the same. */
  readonly optional?: boolean
  /**
   * Names that other libraries use, and misspellings, do not compile. Fastify infers a route's config from what is given,
   * so the compiler does not report unknown keys itself; keys of an index signature are not offered in completion.
   */
  readonly [misspelt: Misspelt]: never
}

type Misspelt =
  | `${string}${'scope' | 'Scopes' | 'role' | 'Roles' | 'aud' | 'audiences' | 'maxAge'}`
  | `${'any' | 'all' | 'require' | 'permission'}${string}`

/** A requirement after it was checked: nothing optional, ready for the comparison. */
export interface Requirement {
  readonly scopes: readonly string[]
  readonly match: 'all' | 'any'
  /** Any one of them is enough, as are the scopes; empty: only scopes count. */
  readonly roles: readonly string[]
  readonly audience: string | undefined
  /** Whether tokens with a DPoP proof are taken, and others. */
  readonly dpop: DpopMode
  readonly acr: readonly string[]
  /** Undefined: however long ago. */
  readonly maxAgeMs: number | undefined
  readonly optional: boolean
}

/** What routes may ask for. */
export interface Catalogue {
  /** Undefined: any scope, since no catalogue was given. */
  readonly scopes: readonly string[] | undefined
  readonly audiences: readonly string[]
  /** What applies to routes without `config.oauth`. */
  readonly defaultAccess: DefaultAccess
  /** Undefined: no proofs can be taken. */
  readonly dpop: { readonly mode: DpopMode } | undefined
}

/** `off`: no tokens with a DPoP proof (RFC 9449). `allow`: those too. `require`: only those. */
export type DpopMode = 'off' | 'allow' | 'require'

/** `protected`: any valid token is required. `explicit`: the application does not start. `public`: no token is required. */
export type DefaultAccess = 'protected' | 'explicit' | 'public'

const keys = ['scopes', 'match', 'roles', 'audience', 'dpop', 'acr', 'maxAgeMs', 'optional']
/** RFC 6749 §3.3: the characters of a scope token. */
export const scopeToken: RegExp = /^[\x21\x23-\x5B\x5D-\x7E]+$/

/** Any valid token will do. */
const anyToken: RouteRequirement = Object.freeze({})

/**
 * Reads a route's `config`: what it demands, or undefined where it is public.
 * @throws {InvalidRouteError} naming the route, what it has, and what is meant instead
 */
export function parseRequirement(
  config: unknown,
  route: string,
  catalogue: Catalogue,
): Requirement | undefined {
  const named = typeof config === 'object' && config !== null ? config : {}
  const oauth = (named as { oauth?: unknown }).oauth
  if (oauth === undefined) {
    refuseMisspeltOauth(named, route)
    return byDefault(route, catalogue)
  }
  return oauth === false ? undefined : parseRule(oauth, route, catalogue)
}

/**
 * Reads what is demanded of a token, wherever it is written.
 * @throws {InvalidRouteError} naming the place, what it has, and what is meant instead
 */
export function parseRule(rule: unknown = anyToken, route: string, catalogue: Catalogue): Requirement {
  const given = checkKeys(rule, route)
  const { match = 'all', optional = false } = given
  if (match !== 'all' && match !== 'any')
    throw new InvalidRouteError(`${route}: config.oauth.match is ${show(match)}; give 'all' or 'any'`)
  if (typeof optional !== 'boolean')
    throw new InvalidRouteError(`${route}: config.oauth.optional is ${show(optional)}; give true or false`)
  return Object.freeze({
    scopes: parseScopes(given, route, catalogue),
    match,
    roles: parseNames(given, 'roles', route),
    audience: parseAudience(given, route, catalogue),
    dpop: parseDpop(given, route, catalogue),
    acr: parseAcr(given, route),
    maxAgeMs: parseMaxAge(given, route),
    optional,
  })
}

function byDefault(route: string, catalogue: Catalogue): Requirement | undefined {
  if (catalogue.defaultAccess === 'protected') return parseRule(anyToken, route, catalogue)
  if (catalogue.defaultAccess === 'public') return undefined
  throw new InvalidRouteError(
    `${route}: it has no config.oauth, which the option \`defaultAccess: 'explicit'\` requires; give config.oauth, such as { scopes: ['…'] }, {} for any valid token, or false for a public route`,
  )
}

function checkKeys(oauth: unknown, route: string): Given {
  if (typeof oauth !== 'object' || oauth === null || Array.isArray(oauth))
    throw new InvalidRouteError(
      `${route}: config.oauth is ${show(oauth)}; give an object such as { scopes: ['…'] }, or false for a public route`,
    )
  for (const key of Object.keys(oauth))
    if (!keys.includes(key))
      throw new InvalidRouteError(
        `${route}: config.oauth has no key ${show(key)}${didYouMean(key, keys)}; it knows ${keys.join(', ')}`,
      )
  const given = oauth as Given
  if (given['scopes'] === undefined && given['match'] !== undefined)
    throw new InvalidRouteError(
      `${route}: config.oauth has match without scopes; name the scopes, or leave match out (any one of the roles is enough)`,
    )
  return given
}

function refuseMisspeltOauth(config: object, route: string): void {
  for (const key of Object.keys(config)) {
    if (key !== 'oauth' && edits(key.toLowerCase(), 'oauth') <= 1)
      throw new InvalidRouteError(
        `${route}: config.${key} means nothing here; did you mean config.oauth? If it is for another plugin, give config.oauth too`,
      )
  }
}

type Given = Readonly<Record<string, unknown>>

function parseScopes(given: Given, route: string, { scopes: known }: Catalogue): readonly string[] {
  const names = parseNames(given, 'scopes', route)
  for (const scope of names) {
    if (!scopeToken.test(scope))
      throw new InvalidRouteError(
        `${route}: config.oauth.scopes has ${show(scope)}, which is no scope: give one scope for each member, without spaces`,
      )
    if (known !== undefined && !known.includes(scope))
      throw new InvalidRouteError(
        `${route}: config.oauth.scopes has ${show(scope)}, which is not in the catalogue${didYouMean(scope, known)}; the option \`scopes\` of register lists ${known.join(', ')}`,
      )
  }
  return names
}

function parseNames(given: Given, key: 'scopes' | 'roles' | 'acr', route: string): readonly string[] {
  const value = given[key]
  if (value === undefined) return []
  if (
    !Array.isArray(value) ||
    value.length === 0 ||
    value.some(name => typeof name !== 'string' || name === '')
  )
    throw new InvalidRouteError(
      `${route}: config.oauth.${key} is ${show(value)}; give a list with at least one name, or leave it out`,
    )
  return Object.freeze([...(value as string[])])
}

/** They go into the challenge, delimited by spaces (RFC 9470 §3). */
function parseAcr(given: Given, route: string): readonly string[] {
  const values = parseNames(given, 'acr', route)
  for (const value of values)
    if (!/^[\x21-\x7E]+$/.test(value))
      throw new InvalidRouteError(
        `${route}: config.oauth.acr has ${show(value)}, which is no acr value: give one for each member, in printable ASCII without spaces`,
      )
  return values
}

function parseDpop({ dpop: given }: Given, route: string, { dpop }: Catalogue): DpopMode {
  if (given === undefined) return dpop?.mode ?? 'off'
  if (given !== 'off' && given !== 'allow' && given !== 'require')
    throw new InvalidRouteError(
      `${route}: config.oauth.dpop is ${show(given)}; give 'off', 'allow' or 'require'`,
    )
  if (dpop === undefined && given !== 'off')
    throw new InvalidRouteError(
      `${route}: config.oauth.dpop does nothing without the option \`dpop\` of register; give dpop: 'off' there, if other routes shall take no proofs`,
    )
  return given
}

function parseMaxAge({ maxAgeMs }: Given, route: string): number | undefined {
  if (maxAgeMs === undefined) return undefined
  if (typeof maxAgeMs !== 'number' || !(maxAgeMs >= 0 && maxAgeMs < Infinity))
    throw new InvalidRouteError(
      `${route}: config.oauth.maxAgeMs is ${show(maxAgeMs)}; give milliseconds since the user authenticated, such as 300_000`,
    )
  return maxAgeMs
}

function parseAudience({ audience }: Given, route: string, { audiences }: Catalogue): string | undefined {
  if (audience === undefined) return undefined
  if (typeof audience === 'string' && audiences.includes(audience)) return audience
  const suggestion = typeof audience === 'string' ? didYouMean(audience, audiences) : ''
  throw new InvalidRouteError(
    `${route}: config.oauth.audience is ${show(audience)}, which is not configured${suggestion}; the option \`audience\` of register has ${audiences.join(', ')}`,
  )
}
