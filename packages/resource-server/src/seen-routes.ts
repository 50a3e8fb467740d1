import { subscribe } from 'node:diagnostics_channel'
import type { FastifyInstance, RouteOptions } from 'fastify'
import { isInside } from './scopes.js'

/** A declared route. It is a frozen copy, because Fastify reuses one options object for the variants of a route. */
export interface SeenRoute {
  /** The instance that declares the route. */
  readonly scope: FastifyInstance
  readonly methods: readonly string[]
  readonly url: string
  /** Whether the scope has its own serializer compiler, which may expect schemas other than JSON Schema. */
  readonly hasOwnSerializer: boolean
  /** The given `config` object and a copy of it, because several routes can share the object. */
  readonly config: { readonly given: object | undefined; readonly copy: object }
  /** Fastify's options object of the route. Its schema can be changed. */
  readonly options: RouteOptions
}

const routesByInstance = new WeakMap<object, SeenRoute[]>()

/**
 * Records the routes of each new Fastify instance with one hook (docs/decisions/seeing-routes.md). Fastify cannot list
 * routes, and the hooks of a plugin do not see routes that were declared earlier. Importing the package has no other
 * effect.
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
 * Returns the current routes of a scope and its child scopes. For an instance that was created before this package was
 * loaded, only routes that are declared from now on.
 */
export function routesIn(scope: FastifyInstance): () => readonly SeenRoute[] {
  const routes = notedAround(scope) ?? noteRoutes(scope)
  return () => routes.filter(route => isInside(route.scope, scope))
}

/** Searches the parent scopes for the instance whose routes are recorded. */
function notedAround(scope: FastifyInstance): readonly SeenRoute[] | undefined {
  for (let at: object | null = scope; at !== null; at = Object.getPrototypeOf(at) as object | null) {
    const routes = routesByInstance.get(at)
    if (routes !== undefined) return routes
  }
  return undefined
}

/**
 * Returns the `config` that Fastify uses. A later `onRoute` hook may have replaced it, and the given object may have
 * been changed for another route.
 */
export function configOf({ config: { given, copy }, options }: SeenRoute): object {
  return options.config === given ? copy : (options.config ?? {})
}

/**
 * Returns the URLs of a route. For `/` under a prefix, Fastify declares one with and one without the trailing slash.
 */
export function urlsOf({ url, options }: SeenRoute): readonly string[] {
  return options.url === url ? [url] : [url, options.url]
}

/** `GET, HEAD /receipts` */
export function nameOf(methods: string | readonly string[], url: string): string {
  return `${[methods].flat().join(', ')} ${url}`
}
