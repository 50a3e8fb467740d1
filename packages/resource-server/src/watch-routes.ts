import { subscribe } from 'node:diagnostics_channel'
import type { FastifyInstance, RouteOptions } from 'fastify'
import { InvalidRouteError } from './errors.js'

/** A route, and the scope in which it was declared. */
export interface WatchedRoute {
  readonly scope: FastifyInstance
  readonly options: RouteOptions
  /** Whether the scope writes answers by a compiler of its own: what it takes for a schema need not be JSON Schema. */
  readonly hasOwnSerializer: boolean
}

const watched = new WeakMap<object, WatchedRoute[]>()

/**
 * A hook of a plugin does not see routes that were declared before it, nor those of other scopes. Fastify announces
 * each new instance, which is the place for hooks that have to see everything (Fastify's reference, "Diagnostics
 * Channel Hooks"). So a route that demands scopes where nobody checks them stops the application.
 */
subscribe('fastify.initialization', message => {
  const { fastify } = message as { fastify: FastifyInstance }
  const routes = watch(fastify)
  fastify.addHook('onReady', async () => {
    for (const route of routes) refuseInert(route)
  })
})

function watch(fastify: FastifyInstance): WatchedRoute[] {
  const routes: WatchedRoute[] = []
  watched.set(fastify, routes)
  fastify.addHook('onRoute', function (this: FastifyInstance, options) {
    // Several routes may be declared with one object that changes in between; Fastify enforces a copy for each, too.
    if (options.config !== undefined) options.config = { ...options.config }
    // Fastify's own is there once the application is ready.
    routes.push({ scope: this, options, hasOwnSerializer: this.serializerCompiler !== undefined })
  })
  return routes
}

/**
 * The routes of a scope and of its children, growing as they are declared. Those of an instance that was made before
 * this package was loaded are seen from now on.
 */
export function routesIn(scope: FastifyInstance): () => readonly WatchedRoute[] {
  const routes = watchedAt(scope) ?? watch(scope)
  const isInside = (route: WatchedRoute): boolean =>
    route.scope === scope || Object.prototype.isPrototypeOf.call(scope, route.scope)
  return () => routes.filter(isInside)
}

/** The instance around all scopes, where a URL is what it says; the scope itself where that is not known. */
export function outermost(scope: FastifyInstance): FastifyInstance {
  let found = scope
  for (let at: object | null = scope; at !== null; at = Object.getPrototypeOf(at) as object | null)
    if (watched.has(at)) found = at as FastifyInstance
  return found
}

/** Scopes inherit from the scope around them, up to the instance that was announced. */
function watchedAt(scope: FastifyInstance): WatchedRoute[] | undefined {
  for (let at: object | null = scope; at !== null; at = Object.getPrototypeOf(at) as object | null) {
    const routes = watched.get(at)
    if (routes !== undefined) return routes
  }
  return undefined
}

/** One for every copy of this package in a process. */
const guarded = Symbol.for('fastify-resource-server.guarded')

/**
 * Notes that the plugin's hook runs for the routes of a scope, and of every child that is made from now on: a child takes
 * over the hooks that are there, and not those that its parent gets later.
 */
export function markGuarded(scope: FastifyInstance): void {
  mark(scope)
  scope.addHook('onRegister', child => mark(child))
}

function mark(scope: FastifyInstance): void {
  Object.defineProperty(scope, guarded, { value: true })
}

/** Whether the plugin's hook runs for the routes of a scope. */
export function isGuarded(scope: FastifyInstance): boolean {
  // A child inherits the properties of its parent at any time.
  return Object.hasOwn(scope, guarded)
}

function refuseInert({ scope, options }: WatchedRoute): void {
  const { oauth } = (options.config ?? {}) as { oauth?: unknown }
  if (oauth === undefined || oauth === false || isGuarded(scope)) return
  throw new InvalidRouteError(
    `${nameOf(options)}: config.oauth does nothing here; register fastify-resource-server in this scope or around it, before the scope is made`,
  )
}

/** `GET, HEAD /receipts` */
export function nameOf({ method, url }: Pick<RouteOptions, 'method' | 'url'>): string {
  return `${[method].flat().join(', ')} ${url}`
}
