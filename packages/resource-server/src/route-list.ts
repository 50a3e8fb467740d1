import type { Mode, Requirement } from './authorize/requirement.js'
import { urlsOf, type SeenRoute } from './seen-routes.js'

/** A route, together with the rule that is enforced for it. */
export interface ListedRoute {
  readonly methods: readonly string[]
  readonly url: string
  /**
   * `protected` routes require a token. `optional` routes also accept requests without a token. `public` routes never
   * check tokens. `report` routes accept every request, because `mode` is `'report'`.
   */
  readonly access: 'protected' | 'optional' | 'public' | 'report'
  /** The requirements for a token, or null if the route is public. */
  readonly requirement: Requirement | null
}

/**
 * Lists the routes with their rules, in the order of declaration. Methods with the same URL and rule share an entry.
 */
export function listRoutes(
  routes: readonly SeenRoute[],
  requirementOf: (route: SeenRoute) => Requirement | undefined,
  mode: Mode,
): readonly ListedRoute[] {
  const listed = new Map<string, ListedRoute>()
  for (const route of routes) {
    const requirement = requirementOf(route) ?? null
    const access = accessOf(requirement, mode)
    for (const url of urlsOf(route)) {
      const key = JSON.stringify([url, access, requirement])
      const methods = new Set([...(listed.get(key)?.methods ?? []), ...route.methods])
      listed.set(key, { methods: [...methods], url, access, requirement })
    }
  }
  return [...listed.values()]
}

function accessOf(requirement: Requirement | null, mode: Mode): ListedRoute['access'] {
  if (requirement === null) return 'public'
  if (mode === 'report') return 'report'
  return requirement.optional ? 'optional' : 'protected'
}

/** Formats routes as aligned text, with one route per line. */
export function formatRoutes(routes: readonly ListedRoute[]): string {
  const rows = routes.map(route => [route.methods.join(','), route.url, describe(route)] as const)
  const width = (column: 0 | 1): number => Math.max(0, ...rows.map(row => row[column].length))
  const [methods, urls] = [width(0), width(1)]
  return rows
    .map(([method, url, rule]) => `${method.padEnd(methods)}  ${url.padEnd(urls)}  ${rule}\n`)
    .join('')
}

function describe({ access, requirement }: ListedRoute): string {
  if (requirement === null) return access
  const rule = describeRule(requirement)
  return access === 'report' ? `NOT ENFORCED (mode: 'report'): ${rule}` : rule
}

function describeRule(requirement: Requirement): string {
  const { acceptedScopes, match, roles, audience, dpop, acr, maxAgeMs } = requirement
  const scopes = acceptedScopes.map(([scope, ...others]) =>
    others.length === 0 ? scope : `${scope} (or ${others.join(', ')})`,
  )
  const alternatives = [
    ...(scopes.length === 0 ? [] : [scopes.join(match === 'all' ? ' and ' : ' or ')]),
    ...(roles.length === 0 ? [] : [`role ${roles.join(' or ')}`]),
  ]
  return [
    alternatives.length === 0 ? 'any token' : alternatives.join(' or '),
    ...(audience === undefined ? [] : [`for ${audience}`]),
    ...(dpop === 'require' ? ['with DPoP proof'] : []),
    ...(acr.length === 0 ? [] : [`acr ${acr.join(' or ')}`]),
    ...(maxAgeMs === undefined ? [] : [`authenticated in the last ${maxAgeMs / 1000} s`]),
    ...(requirement.optional ? ['(optional)'] : []),
    ...(requirement.report === undefined ? [] : [`(reported: ${describeRule(requirement.report)})`]),
  ].join(' ')
}
