import { subscribe } from 'node:diagnostics_channel'
import type { FastifyInstance, RouteOptions } from 'fastify'
import { isInside } from './scopes.js'

/** A copy of a declared route. Fastify reuses one options object for several variants of a route, such as HEAD. */
export interface SeenRoute {
  /** The instance that declares the route. */
  readonly scope: FastifyInstance
  readonly methods: readonly string[]
  readonly url: string
  /** Whether the scope has a custom serializer compiler, which may expect schemas other than JSON Schema. */
  readonly hasOwnSerializer: boolean
  /** The `config` object of the route, and a copy of it, because several routes can share one object. */
  readonly config: { readonly given: object | undefined; readonly copy: object }
  /** Fastify's options object for the route. The plugin may change its schema. */
  readonly options: RouteOptions
}

const routesByInstance = new WeakMap<object, SeenRoute[]>()

/**
 * Adds a hook to each new Fastify instance that records its routes (docs/decisions/seeing-routes.md). Fastify cannot
 * list its routes, and a plugin's own hook does not see routes that were declared before the plugin. Importing this
 * package has no other side effect.
 */
subscribe('fastify.initialization', message => {
  noteRoutes((message as { fastify: FastifyInstance }).fastify)
})

function noteRoutes(fastify: FastifyInstance): readonly SeenRoute[] {
  const routes: SeenRoute[] = []
  routesByInstance.set(fastify, routes)
  fastify.addHook('onRoute', function (this: FastifyInstance, options) {
    const { method, url, config: given } = options
    const methods = Object.freeze([method].flat())
    const hasOwnSerializer = this.serializerCompiler !== undefined
    const config = { given, copy: { ...given } }
    routes.push(Object.freeze({ scope: this, methods, url, hasOwnSerializer, config, options }))
  })
  return routes
}

/**
 * Returns a function that lists the routes of a scope and its child scopes. If the Fastify instance was created before
 * this package was loaded, the list contains only routes that are declared after this call.
 */
export function routesIn(scope: FastifyInstance): () => readonly SeenRoute[] {
  const routes = notedAround(scope) ?? noteRoutes(scope)
  return () => routes.filter(route => isInside(route.scope, scope))
}

/** Finds the recorded routes of a scope or of its nearest ancestor that has any. */
function notedAround(scope: FastifyInstance): readonly SeenRoute[] | undefined {
  for (let at: object | null = scope; at !== null; at = Object.getPrototypeOf(at) as object | null) {
    const routes = routesByInstance.get(at)
    if (routes !== undefined) return routes
  }
  return undefined
}

/**
 * Returns the `config` that Fastify uses for a route. If an `onRoute` hook has replaced the object, returns the new
 * one. Otherwise returns the copy, because the application may have changed the object for another route.
 */
export function configOf({ config: { given, copy }, options }: SeenRoute): object {
  return options.config === given ? copy : (options.config ?? {})
}

/**
 * Returns the URLs of a route. For the route `/` in a scope with a prefix, Fastify declares two URLs: with and without
 * the trailing slash.
 */
export function urlsOf({ url, options }: SeenRoute): readonly string[] {
  return options.url === url ? [url] : [url, options.url]
}

/** Returns a name for a route, such as `GET, HEAD /receipts`. */
export function nameOf(methods: string | readonly string[], url: string): string {
  return `${[methods].flat().join(', ')} ${url}`
}
