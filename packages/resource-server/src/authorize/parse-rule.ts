import {
  boolean,
  contain,
  isPlainObject,
  milliseconds,
  oneOf,
  optional,
  ownOptions,
  parser,
  readOptions,
  show,
  strings,
  text,
  withDefault,
  type Declares,
  type Given,
  type Place,
} from 'declared-options'
import { InvalidRouteError } from '../errors.js'
import { refuseLongLists, refuseUndefined, refuseUnknownAudience, refuseUnknownScopes } from './check-rule.js'
import { implies } from './implies.js'
import type { Catalogue, Requirement } from './requirement.js'
import type { RouteRequirement } from './route-requirement.js'

/** Matches a scope that contains only allowed characters (RFC 6749 §3.3). */
export const scopeToken: RegExp = /^[\x21\x23-\x5B\x5D-\x7E]+$/

const declaration = {
  scopes: withDefault(
    strings('a list of one or more scopes without spaces (RFC 6749 §3.3)', {
      pattern: scopeToken,
    }),
    [],
  ),
  match: optional(oneOf(['all', 'any'])),
  roles: withDefault(strings('a list of at least one role'), []),
  audience: optional(text('one of the configured audiences')),
  dpop: optional(oneOf(['off', 'allow', 'require'])),
  // An acr value must not contain spaces, because spaces separate the values in WWW-Authenticate (RFC 9470 §3).
  acr: withDefault(
    strings('a list of at least one acr value, each in printable ASCII without spaces', {
      pattern: /^[\x21-\x7E]+$/,
    }),
    [],
  ),
  // The maximum of `maxAgeMs` is ten years, because some login sessions last for several years.
  maxAgeMs: optional(milliseconds({ max: 315_360_000_000 })),
  optional: withDefault(boolean(), false),
  report: optional(parser({ expected: "an object such as { scopes: ['…'] }", read: asObject })),
} satisfies Declares<RouteKeys>

type RouteKeys = Pick<
  RouteRequirement,
  'scopes' | 'match' | 'roles' | 'audience' | 'dpop' | 'acr' | 'maxAgeMs' | 'optional' | 'report'
>

/** A rule that accepts any valid token. */
export const anyToken: RouteRequirement = Object.freeze({})

/**
 * Reads a route's rule, or a rule passed to `verify`, `explain` or `authenticate`.
 * @throws {InvalidRouteError} if the rule is invalid. The message says where the rule is used, and contains the value
 * received and the value expected
 */
export function parseRule(rule: unknown = anyToken, route: string, catalogue: Catalogue): Requirement {
  const toError = (problem: string): Error => new InvalidRouteError(`${route}: ${problem}`)
  const place = { option: 'config.oauth', allowInsecureHttp: false, toError }
  const object = contain('config.oauth', place, contained => refuseOthers(rule, contained))
  return readRule(ownOptions(object, place), place, catalogue)
}

/** Returns the given access rule if it is a plain object, and throws otherwise. */
function refuseOthers(rule: unknown, { toError }: Place): Given {
  if (isPlainObject(rule)) return rule
  throw toError(
    `config.oauth is ${show(rule)}; expected an object such as { scopes: ['…'] }, or false for a public route`,
  )
}

/** @param rule a copy of the given rule, in which getters are replaced by their values */
function readRule(rule: Given, place: Place, catalogue: Catalogue): Requirement {
  const { option, toError } = place
  refuseUndefined(rule, place)
  const { match, dpop, report, ...parsed } = readOptions(rule, declaration, place)
  if (match !== undefined && parsed.scopes.length === 0)
    throw toError(
      `${option} has match without scopes; add scopes, or remove match (any one of the roles is always sufficient)`,
    )
  refuseLongLists(parsed, place)
  refuseUnknownScopes(parsed.scopes, catalogue, place)
  refuseUnknownAudience(parsed.audience, catalogue, place)
  if (catalogue.dpop === undefined && dpop !== undefined && dpop !== 'off')
    throw toError(
      `${option}.dpop has no effect unless the plugin's option \`dpop\` is set; set that option (to 'off' if the other routes must not accept DPoP proofs)`,
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

/**
 * Reads the property `report` of a route's access rule. It contains requirements that are not enforced: requests that
 * fail them are only reported. Within `report`, `dpop` must be `require` if it is set.
 */
function readReport(report: Given, place: Place, catalogue: Catalogue): Requirement {
  const { option, toError } = place
  for (const name of ['optional', 'report'])
    if (Object.hasOwn(report, name)) throw toError(`${option}.${name} has no effect; remove it`)
  const { dpop } = report
  if (dpop !== undefined && dpop !== 'require')
    throw toError(`${option}.dpop is ${show(dpop)}; expected 'require' or no value`)
  return Object.freeze({
    ...readRule(report, place, catalogue),
    dpop: dpop === undefined ? 'allow' : 'require',
  })
}

function refuseUselessReport(enforced: Requirement, report: Requirement, toError: Place['toError']): void {
  if (report.dpop === 'require' && enforced.dpop !== 'allow')
    throw toError(
      `config.oauth.report.dpop has an effect only on routes with dpop: 'allow', but this route has dpop: '${enforced.dpop}'`,
    )
  if (!enforced.optional && implies(enforced, report))
    throw toError(
      'config.oauth.report adds no requirement to the enforced ones; add a requirement, or remove report (an empty report is allowed only on a route with optional: true, to report requests without a token)',
    )
}

function asObject(value: unknown, place: Place): Given | undefined {
  return isPlainObject(value) ? ownOptions(value, place) : undefined
}
