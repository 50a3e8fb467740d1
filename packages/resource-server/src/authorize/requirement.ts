import {
  boolean,
  contain,
  isObject,
  isPlainObject,
  milliseconds,
  oneOf,
  optional,
  ownOptions,
  parser,
  readOptions,
  show,
  strings,
  suggest,
  text,
  withDefault,
  type Declares,
  type Given,
  type Place,
} from 'declared-options'
import { InvalidRouteError } from '../errors.js'
import type { Role, Scope } from '../oauth-types.js'
import { implies } from './implies.js'

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
   * Demands that are not enforced yet: requests that fulfil the rest of the rule and not these are let in and reported
   * (stats, events, log). With `optional`, requests without a token are reported too, whatever it names: it stands for
   * the rule without `optional`.
   */
  readonly report?: ReportedDemands<S, R>
  /**
   * Names that other libraries use, and misspellings, do not compile. Fastify infers a route's config from what is given,
   * so the compiler does not report unknown keys itself; keys of an index signature are not offered in completion.
   */
  readonly [misspelt: Misspelt]: never
}

/** What a route may demand without enforcing it. */
export type ReportedDemands<S extends string = Scope, R extends string = Role> = Omit<
  RouteRequirement<S, R>,
  'optional' | 'dpop' | 'report'
> & { readonly dpop?: 'require' }

type Misspelt =
  | `${string}${'scope' | 'Scopes' | 'role' | 'Roles' | 'aud' | 'audiences' | 'maxAge'}`
  | `${'any' | 'all' | 'require' | 'permission'}${string}`

/** A requirement after it was checked: nothing optional, ready for the comparison. */
export interface Requirement {
  readonly scopes: readonly string[]
  /** For each of `scopes`, the scopes that grant it: itself, and those that include it. */
  readonly acceptedScopes: readonly (readonly string[])[]
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
  /** What is demanded besides, and only reported. */
  readonly report: Requirement | undefined
}

/** What routes may ask for. */
export interface Catalogue {
  /** Undefined: any scope, because there is no catalogue. */
  readonly scopes: readonly string[] | undefined
  /** For each scope that others include, directly or through others: itself, and those. */
  readonly grantedBy: ReadonlyMap<string, readonly string[]>
  readonly audiences: readonly string[]
  /** What applies to routes without `config.oauth`. */
  readonly defaultAccess: DefaultAccess
  /** Undefined: no proofs can be taken. */
  readonly dpop: { readonly mode: DpopMode } | undefined
}

/** `off`: no tokens with a DPoP proof (RFC 9449). `allow`: those too. `require`: only those. */
export type DpopMode = 'off' | 'allow' | 'require'

/** `enforce`: requests without a valid token are refused. `report`: they are let in and reported. */
export type Mode = 'enforce' | 'report'

/** `protected`: any valid token is required. `explicit`: the application does not start. `public`: no token is required. */
export type DefaultAccess = 'protected' | 'explicit' | 'public'

/** RFC 6749 §3.3: the characters of a scope token. */
export const scopeToken: RegExp = /^[\x21\x23-\x5B\x5D-\x7E]+$/

const declaration = {
  scopes: withDefault(
    strings('a list of at least one scope, each without spaces (RFC 6749 §3.3)', {
      pattern: scopeToken,
    }),
    [],
  ),
  match: optional(oneOf(['all', 'any'])),
  roles: withDefault(strings('a list of at least one role'), []),
  audience: optional(text('one of the configured audiences')),
  dpop: optional(oneOf(['off', 'allow', 'require'])),
  // They go into the challenge, delimited by spaces (RFC 9470 §3).
  acr: withDefault(
    strings('a list of at least one acr value, in printable ASCII without spaces', {
      pattern: /^[\x21-\x7E]+$/,
    }),
    [],
  ),
  // Ten years: a user may have authenticated long ago.
  maxAgeMs: optional(milliseconds({ max: 315_360_000_000 })),
  optional: withDefault(boolean(), false),
  report: optional(parser({ expected: "an object such as { scopes: ['…'] }", read: asObject })),
} satisfies Declares<RouteKeys>

/** The keys of a rule, without the index signature that rejects misspellings. */
type RouteKeys = Pick<
  RouteRequirement,
  'scopes' | 'match' | 'roles' | 'audience' | 'dpop' | 'acr' | 'maxAgeMs' | 'optional' | 'report'
>

/** Any valid token will do. */
const anyToken: RouteRequirement = Object.freeze({})

/**
 * Reads a route's `config`: what it demands, or undefined where it is public.
 * @throws {InvalidRouteError} naming the route, the value received and what was expected
 */
export function parseRequirement(
  config: unknown,
  route: string,
  catalogue: Catalogue,
): Requirement | undefined {
  const given = isObject(config) ? config : {}
  if (!Object.hasOwn(given, 'oauth')) {
    refuseMisspeltOauth(given, route)
    return byDefault(route, catalogue)
  }
  const { oauth } = given
  if (oauth === undefined)
    throw new InvalidRouteError(
      `${route}: config.oauth is undefined (a misspelt name?); give a rule, or leave it out`,
    )
  return oauth === false ? undefined : parseRule(oauth, route, catalogue)
}

/**
 * Reads what is demanded of a token, wherever it is written.
 * @throws {InvalidRouteError} naming the place, the value received and what was expected
 */
export function parseRule(rule: unknown = anyToken, route: string, catalogue: Catalogue): Requirement {
  const toError = (problem: string): Error => new InvalidRouteError(`${route}: ${problem}`)
  const place = { option: 'config.oauth', allowInsecureHttp: false, toError }
  const object = contain('config.oauth', place, contained => refuseOthers(rule, contained))
  return readRule(ownOptions(object, place), place, catalogue)
}

/** @throws the error of the place if it is not an object literal */
function refuseOthers(rule: unknown, { toError }: Place): Given {
  if (isPlainObject(rule)) return rule
  throw toError(
    `config.oauth is ${show(rule)}; expected an object such as { scopes: ['…'] }, or false for a public route`,
  )
}

/** @param rule a copy, without getters */
function readRule(rule: Given, place: Place, catalogue: Catalogue): Requirement {
  const { option, toError } = place
  refuseUndefined(rule, place)
  const { match, dpop, report, ...parsed } = readOptions(rule, declaration, place)
  if (match !== undefined && parsed.scopes.length === 0)
    throw toError(
      `${option} has match without scopes; name the scopes, or leave match out (any one of the roles is enough)`,
    )
  refuseLongLists(parsed, place)
  refuseUnknownScopes(parsed.scopes, catalogue, place)
  refuseUnknownAudience(parsed.audience, catalogue, place)
  if (catalogue.dpop === undefined && dpop !== undefined && dpop !== 'off')
    throw toError(
      `${option}.dpop does nothing without the option \`dpop\` of register; set dpop: 'off' there if other routes must not accept proofs`,
    )
  const enforced = {
    ...parsed,
    acceptedScopes: parsed.scopes.map(scope => catalogue.grantedBy.get(scope) ?? [scope]),
    match: match ?? 'all',
    dpop: dpop ?? catalogue.dpop?.mode ?? 'off',
    report: undefined,
  } as const
  if (report === undefined) return Object.freeze(enforced)
  const reported = readReport(report, { ...place, option: `${option}.report` }, catalogue)
  refuseUselessReport(enforced, reported, toError)
  return Object.freeze({ ...enforced, report: reported })
}

/** Reads demands that are only reported: `dpop` is `require`, or `allow` if it is left out. */
function readReport(report: Given, place: Place, catalogue: Catalogue): Requirement {
  const { option, toError } = place
  for (const name of ['optional', 'report'])
    if (Object.hasOwn(report, name)) throw toError(`${option}.${name} does nothing; leave it out`)
  const { dpop } = report
  if (dpop !== undefined && dpop !== 'require')
    throw toError(`${option}.dpop is ${show(dpop)}; expected 'require', or leave it out`)
  return Object.freeze({
    ...readRule(report, place, catalogue),
    dpop: dpop === undefined ? 'allow' : 'require',
  })
}

function refuseUselessReport(enforced: Requirement, report: Requirement, toError: ToError): void {
  if (report.dpop === 'require' && enforced.dpop !== 'allow')
    throw toError(
      `config.oauth.report.dpop reports only routes that take both kinds of tokens, and this one has dpop: '${enforced.dpop}'`,
    )
  if (!enforced.optional && implies(enforced, report))
    throw toError(
      'config.oauth.report adds no requirement to the enforced ones; name one, or leave it out (with optional: true, {} reports requests without a token)',
    )
}

function asObject(value: unknown, place: Place): Given | undefined {
  return isPlainObject(value) ? ownOptions(value, place) : undefined
}

/** @returns what applies to a route without `config.oauth` */
function byDefault(route: string, catalogue: Catalogue): Requirement | undefined {
  if (catalogue.defaultAccess === 'protected') return parseRule(anyToken, route, catalogue)
  if (catalogue.defaultAccess === 'public') return undefined
  throw new InvalidRouteError(
    `${route}: it has no config.oauth, which the option \`defaultAccess: 'explicit'\` requires; give config.oauth, such as { scopes: ['…'] }, {} for any valid token, or false for a public route`,
  )
}

type ToError = (problem: string) => Error

const longestList = 2_048

/** Challenges name them, and servers and proxies take 8 KiB of headers. */
function refuseLongLists(rule: Pick<Requirement, 'scopes' | 'acr'>, { option, toError }: Place): void {
  for (const name of ['scopes', 'acr'] as const) {
    const { length } = rule[name].join(' ')
    if (length > longestList)
      throw toError(
        `${option}.${name} has ${length} characters altogether, which challenges repeat; expected at most ${longestList}`,
      )
  }
}

/** A misspelt name in a table of scopes would leave the route open to any token. */
function refuseUndefined(rule: object, { option, toError }: Place): void {
  for (const [key, value] of Object.entries(rule))
    if (value === undefined)
      throw toError(`${option}.${key} is undefined (a misspelt name?); give a value, or leave the key out`)
}

function refuseMisspeltOauth(config: object, route: string): void {
  for (const key of Object.keys(config))
    if (suggest(key, ['oauth']) === 'oauth')
      throw new InvalidRouteError(
        `${route}: config.${key} means nothing here; did you mean config.oauth? If it is for another plugin, give config.oauth too`,
      )
}

function refuseUnknownScopes(
  scopes: readonly string[],
  { scopes: known }: Catalogue,
  { option, toError }: Place,
): void {
  if (known === undefined) return
  const scope = scopes.find(name => !known.includes(name))
  if (scope === undefined) return
  throw toError(
    `${option}.scopes has ${show(scope)}, which is not in the catalogue (the option \`scopes\`, or the scopes of \`api\`)${hint(scope, known)}; add it there, or correct it here`,
  )
}

function refuseUnknownAudience(
  audience: string | undefined,
  { audiences }: Catalogue,
  { option, toError }: Place,
): void {
  if (audience === undefined || audiences.includes(audience)) return
  throw toError(
    `${option}.audience is ${show(audience)}, which is not in the option \`audience\`${hint(audience, audiences)}; it has ${show(audiences)}`,
  )
}

function hint(name: string, known: readonly string[]): string {
  const meant = suggest(name, known)
  return meant === undefined ? '' : ` (did you mean ${show(meant)}?)`
}
