import { subscribe } from 'node:diagnostics_channel'
import type { FastifyInstance, RouteOptions } from 'fastify'
import { isInside } from './scopes.js'

/** A route as it was declared. Frozen, because Fastify changes one options object for the variants of a route. */
export interface SeenRoute {
  /** The instance on which it was declared. */
  readonly scope: FastifyInstance
  readonly methods: readonly string[]
  readonly url: string
  /** Whether the scope has a serializer compiler of its own: what it takes for a schema need not be JSON Schema. */
  readonly hasOwnSerializer: boolean
  /** The `config` object that came with the declaration, and a copy of it: the object may serve several routes. */
  readonly config: { readonly given: object | undefined; readonly copy: object }
  /** Fastify's own options, for what is written into their schema. */
  readonly options: RouteOptions
}

const routesByInstance = new WeakMap<object, SeenRoute[]>()

/**
 * Fastify cannot enumerate routes, and hooks of a plugin do not see routes that were declared before it. So one hook on
 * each new instance notes the routes (docs/decisions/seeing-routes.md). Importing the package does nothing else.
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
 * The routes of a scope and its descendants, growing as they are declared. For an instance that was made before this
 * package was loaded: those that are declared from now on.
 */
export function routesIn(scope: FastifyInstance): () => readonly SeenRoute[] {
  const routes = notedAround(scope) ?? noteRoutes(scope)
  return () => routes.filter(route => isInside(route.scope, scope))
}

/** Scopes inherit from the scope around them, up to the instance whose routes are noted. */
function notedAround(scope: FastifyInstance): readonly SeenRoute[] | undefined {
  for (let at: object | null = scope; at !== null; at = Object.getPrototypeOf(at) as object | null) {
    const routes = routesByInstance.get(at)
    if (routes !== undefined) return routes
  }
  return undefined
}

/**
 * The `config` that Fastify enforces. A later `onRoute` hook may have replaced it; the one that was given may have been
 * changed for another route since.
 */
export function configOf({ config: { given, copy }, options }: SeenRoute): object {
  return options.config === given ? copy : (options.config ?? {})
}

/** The URLs of a route: for `/` under a prefix, Fastify declares one with and one without the slash. */
export function urlsOf({ url, options }: SeenRoute): readonly string[] {
  return options.url === url ? [url] : [url, options.url]
}

/** `GET, HEAD /receipts` */
export function nameOf(methods: string | readonly string[], url: string): string {
  return `${[methods].flat().join(', ')} ${url}`
}
