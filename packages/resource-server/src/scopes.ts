import type { FastifyInstance } from 'fastify'
import { InvalidOptionError } from './errors.js'

/** The property of an outermost instance that lists the scopes with the plugin, for every copy of this package. */
const guardedScopes = Symbol.for('fastify-resource-server.scopes')

type Root = FastifyInstance & { [guardedScopes]?: FastifyInstance[] }

/** Whether a scope is another one or a descendant of it: children inherit from their parent. */
export function isInside(scope: FastifyInstance, outer: FastifyInstance): boolean {
  return scope === outer || Object.prototype.isPrototypeOf.call(outer, scope)
}

/** The instance around all scopes, in which a URL is relative to nothing. */
export function rootOf(scope: FastifyInstance): FastifyInstance {
  const parent: unknown = Object.getPrototypeOf(scope)
  return parent === Object.prototype || parent === null ? scope : rootOf(parent as FastifyInstance)
}

/**
 * Whether requests to the routes of a scope pass the plugin's hook. Fastify passes hooks on to descendants, whenever they
 * were made.
 */
export function isGuarded(scope: FastifyInstance): boolean {
  const scopes = (rootOf(scope) as Root)[guardedScopes] ?? []
  return scopes.some(guarded => isInside(scope, guarded))
}

/**
 * Notes that the plugin guards a scope.
 * @throws {InvalidOptionError} when it guards an ancestor or a descendant already: requests would be checked twice
 */
export function guardScope(scope: FastifyInstance): void {
  const root = rootOf(scope) as Root
  const scopes = (root[guardedScopes] ??= [])
  if (scopes.some(guarded => isInside(scope, guarded) || isInside(guarded, scope)))
    throw new InvalidOptionError(
      'the plugin is already registered in this scope, or in one that contains it or is contained in it; register it once on each path, or in sibling scopes',
    )
  scopes.push(scope)
}
