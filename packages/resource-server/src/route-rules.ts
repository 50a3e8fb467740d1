import type { FastifyInstance } from 'fastify'
import { parseRequirement } from './authorize/parse-requirement.js'
import type { Catalogue, Requirement } from './authorize/requirement.js'
import { InvalidRouteError } from './errors.js'
import { isGuarded, rootOf } from './scopes.js'
import { configOf, nameOf, routesIn, type SeenRoute } from './seen-routes.js'

/** What a route is known by, when it is declared and when it is called. */
export interface Route {
  readonly method?: string | readonly string[]
  readonly url?: string | undefined
  readonly config?: object
}
export type ReadRequirement = (route: Route) => Requirement | undefined

/** A route with the `config` that Fastify enforces. */
export function declarationOf(route: SeenRoute): Route {
  return { method: route.methods, url: route.url, config: configOf(route) }
}

/** Reads what a route requires, as its `config` is now; undefined: it is public. */
export function requirementReader(settings: Catalogue): ReadRequirement {
  // A preflight cannot bring credentials, and plugins for CORS cannot say anything about it.
  const forOptions =
    settings.defaultAccess === 'explicit' ? { ...settings, defaultAccess: 'protected' as const } : settings
  return ({ config, method = '', url = '' }) => {
    const isForOptions = [method].flat().every(name => name === 'OPTIONS')
    return parseRequirement(config, nameOf(method, url), isForOptions ? forOptions : settings)
  }
}

/** The same, read once for each `config`: that of a request is one stable object. */
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
 * A route whose rule makes no sense, or is never enforced, stops the application.
 * @returns the routes of this scope and its descendants
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
    // The object may be changed for the next route; Fastify enforces a copy too.
    if (route.config !== undefined) route.config = { ...route.config }
  })
  fastify.addHook('onReady', async () => {
    // Other hooks may have changed the rules.
    for (const route of routes()) readRequirement(declarationOf(route))
    for (const route of everywhere()) if (!isGuarded(route.scope)) refuseUnguardedRule(route)
  })
  return routes
}

function refuseUnguardedRule(route: SeenRoute): void {
  const { oauth } = configOf(route) as { oauth?: unknown }
  if (oauth === undefined || oauth === false) return
  throw new InvalidRouteError(
    `${nameOf(route.methods, route.url)}: config.oauth has no effect here, because fastify-resource-server is registered in another scope; register it in this scope or in one around it`,
  )
}
