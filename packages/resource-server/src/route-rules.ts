import type { FastifyInstance } from 'fastify'
import { parseRequirement } from './authorize/parse-requirement.js'
import type { Catalogue, Requirement } from './authorize/requirement.js'
import { InvalidRouteError } from './errors.js'
import { isGuarded, rootOf } from './scopes.js'
import { configOf, nameOf, routesIn, type SeenRoute } from './seen-routes.js'

/** The properties of a route that are available both when it is declared and when a request arrives. */
export interface Route {
  readonly method?: string | readonly string[]
  readonly url?: string | undefined
  readonly config?: object
}
export type ReadRequirement = (route: Route) => Requirement | undefined

export function declarationOf(route: SeenRoute): Route {
  return { method: route.methods, url: route.url, config: configOf(route) }
}

/**
 * Returns a function that reads a route's requirement from its `config`. The function returns undefined for a public
 * route.
 */
export function requirementReader(settings: Catalogue): ReadRequirement {
  // OPTIONS routes are exempt from `defaultAccess: 'explicit'`, because CORS plugins add such routes without `config.oauth`.
  const forOptions =
    settings.defaultAccess === 'explicit' ? { ...settings, defaultAccess: 'protected' as const } : settings
  return ({ config, method = '', url = '' }) => {
    const isForOptions = [method].flat().every(name => name === 'OPTIONS')
    return parseRequirement(config, nameOf(method, url), isForOptions ? forOptions : settings)
  }
}

/**
 * Caches the requirement of each route. The cache key is the route's `config` object, because every request to the
 * route has the same object.
 */
export function rememberRequirements(
  read: ReadRequirement,
): (route: Route & { readonly config: object }) => Requirement | undefined {
  const known = new WeakMap<object, { readonly requirement: Requirement | undefined }>()
  return route => {
    let entry = known.get(route.config)
    if (entry === undefined) known.set(route.config, (entry = { requirement: read(route) }))
    return entry.requirement
  }
}

/**
 * Checks the rules of all routes. Startup fails if a route's access rule is invalid or would never be enforced.
 * @returns a function that lists the routes of this Fastify scope and its child scopes
 */
export function checkRoutes(
  fastify: FastifyInstance,
  readRequirement: ReadRequirement,
): () => readonly SeenRoute[] {
  const routes = routesIn(fastify)
  const everywhere = routesIn(rootOf(fastify))
  for (const route of routes()) readRequirement(declarationOf(route))
  fastify.addHook('onRoute', route => {
    readRequirement(route)
    // The config is copied, because the application may reuse and change the object for its next route.
    if (route.config !== undefined) route.config = { ...route.config }
  })
  fastify.addHook('onReady', async () => {
    // The rules are checked again, because other `onRoute` hooks may have changed them.
    for (const route of routes()) readRequirement(declarationOf(route))
    for (const route of everywhere()) if (!isGuarded(route.scope)) refuseUnguardedRule(route)
  })
  return routes
}

function refuseUnguardedRule(route: SeenRoute): void {
  const { oauth } = configOf(route) as { oauth?: unknown }
  if (oauth === undefined || oauth === false) return
  throw new InvalidRouteError(
    `${nameOf(route.methods, route.url)}: config.oauth has no effect here, because fastify-resource-server is registered in another scope; register it in this scope or in a parent scope`,
  )
}
