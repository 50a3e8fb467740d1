import { subscribe } from 'node:diagnostics_channel'
import type { FastifyInstance, RouteOptions } from 'fastify'
import { isInside } from './scopes.js'

/**
 * The recorded properties of a declared route. They are copied, because Fastify reuses the options object for related
 * routes, such as the HEAD route that it adds for a GET route.
 */
export interface SeenRoute {
  /** The Fastify scope that declares the route. */
  readonly scope: FastifyInstance
  readonly methods: readonly string[]
  readonly url: string
  /** Whether the scope has a custom serializer compiler. Such a compiler may not accept JSON Schema. */
  readonly hasOwnSerializer: boolean
  /**
   * The route's `config` object, together with a copy. The copy is needed because several routes can share the object.
   */
  readonly config: { readonly given: object | undefined; readonly copy: object }
  /** Fastify's options object for the route. The plugin may change the schema in this object. */
  readonly options: RouteOptions
}

const routesByInstance = new WeakMap<object, SeenRoute[]>()

/**
 * Records the routes of each new Fastify instance, which is the only side effect of importing this package
 * (docs/decisions/seeing-routes.md). It is needed because Fastify cannot list its routes, and a plugin's own hook
 * misses routes that were declared before the plugin was registered.
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
 * Returns a function that lists the routes of a Fastify scope and its child scopes. If the Fastify instance was created
 * before this package was loaded, the list contains only routes declared after this call.
 */
export function routesIn(scope: FastifyInstance): () => readonly SeenRoute[] {
  const routes = notedAround(scope) ?? noteRoutes(scope)
  return () => routes.filter(route => isInside(route.scope, scope))
}

/** Returns the routes recorded for a Fastify scope, or for its nearest ancestor that has recorded routes. */
function notedAround(scope: FastifyInstance): readonly SeenRoute[] | undefined {
  for (let at: object | null = scope; at !== null; at = Object.getPrototypeOf(at) as object | null) {
    const routes = routesByInstance.get(at)
    if (routes !== undefined) return routes
  }
  return undefined
}

/**
 * Returns the `config` that Fastify uses for a route. If an `onRoute` hook has replaced the object, returns the new
 * object. Otherwise, returns the copy made when the route was declared, because the application may have changed the
 * original for another route.
 */
export function configOf({ config: { given, copy }, options }: SeenRoute): object {
  return options.config === given ? copy : (options.config ?? {})
}

/**
 * Returns the URLs of a route. For the route `/` in a Fastify scope with a prefix, Fastify declares two URLs, with and
 * without the trailing slash.
 */
export function urlsOf({ url, options }: SeenRoute): readonly string[] {
  return options.url === url ? [url] : [url, options.url]
}

/** Returns the name of a route, such as `GET, HEAD /receipts`. */
export function nameOf(methods: string | readonly string[], url: string): string {
  return `${[methods].flat().join(', ')} ${url}`
}
