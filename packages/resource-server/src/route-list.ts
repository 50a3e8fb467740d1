import type { Requirement } from './authorize/requirement.js'
import { isGuarded, type WatchedRoute } from './watch-routes.js'

/** A route and its rule, as it is enforced. */
export interface ListedRoute {
  readonly methods: readonly string[]
  readonly url: string
  /**
   * `protected`: needs a token. `optional`: takes one. `public`: by `oauth: false`, or by `defaultAccess: 'public'`.
   * `unguarded`: in a child scope that was made before the plugin was registered, so that no hook runs there.
   */
  readonly access: 'protected' | 'optional' | 'public' | 'unguarded'
  /** What is demanded of the token; null where nothing is. */
  readonly requirement: Requirement | null
}

/** Every route with its rule, in the order of declaration; methods with the same rule together. */
export function listRoutes(
  routes: readonly WatchedRoute[],
  requirementOf: (route: WatchedRoute) => Requirement | undefined,
): readonly ListedRoute[] {
  const listed = new Map<string, ListedRoute & { methods: string[] }>()
  for (const route of routes) {
    const { method, url } = route.options
    const requirement = isGuarded(route.scope) ? (requirementOf(route) ?? null) : null
    const access = accessOf(route, requirement)
    const key = JSON.stringify([url, access, requirement])
    const entry = listed.get(key) ?? { methods: [], url, access, requirement }
    for (const name of [method].flat()) if (!entry.methods.includes(name)) entry.methods.push(name)
    listed.set(key, entry)
  }
  return [...listed.values()]
}

function accessOf({ scope }: WatchedRoute, requirement: Requirement | null): ListedRoute['access'] {
  if (!isGuarded(scope)) return 'unguarded'
  if (requirement === null) return 'public'
  return requirement.optional ? 'optional' : 'protected'
}

/** The list as aligned text, a route a line, for reviews and logs. */
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
  const { scopes, match, roles, audience, dpop, acr, maxAgeMs } = requirement
  const alternatives = [
    ...(scopes.length === 0 ? [] : [scopes.join(match === 'all' ? ' and ' : ' or ')]),
    ...(roles.length === 0 ? [] : [`role ${roles.join(' or ')}`]),
  ]
  return [
    alternatives.length === 0 ? 'any token' : alternatives.join(' or '),
    ...(audience === undefined ? [] : [`for ${audience}`]),
    ...(dpop === 'require' ? ['with DPoP proof'] : []),
    ...(acr.length === 0 ? [] : [`acr ${acr.join(' or ')}`]),
    ...(maxAgeMs === undefined ? [] : [`authenticated within ${maxAgeMs / 1000} s`]),
    ...(access === 'optional' ? ['(optional)'] : []),
  ].join(' ')
}
