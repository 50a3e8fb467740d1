import type { FastifyInstance } from 'fastify'
import { InvalidOptionError } from './errors.js'

/**
 * The key under which the root Fastify instance stores the list of protected Fastify scopes. All copies of this package
 * use the same key.
 */
const guardedScopes = Symbol.for('fastify-resource-server.scopes')

type Root = FastifyInstance & { [guardedScopes]?: FastifyInstance[] }

/**
 * Returns whether a Fastify scope is `outer` or one of its descendants. The prototype of a child scope is its parent
 * scope.
 */
export function isInside(scope: FastifyInstance, outer: FastifyInstance): boolean {
  return scope === outer || Object.prototype.isPrototypeOf.call(outer, scope)
}

/** Returns the root instance of a Fastify application. */
export function rootOf(scope: FastifyInstance): FastifyInstance {
  const parent: unknown = Object.getPrototypeOf(scope)
  return parent === Object.prototype || parent === null ? scope : rootOf(parent as FastifyInstance)
}

/**
 * Returns whether the plugin's hook runs for the routes of a Fastify scope. The hook also runs for child scopes that
 * were created before the plugin was registered.
 */
export function isGuarded(scope: FastifyInstance): boolean {
  const scopes = (rootOf(scope) as Root)[guardedScopes] ?? []
  return scopes.some(guarded => isInside(scope, guarded))
}

/**
 * Records that the plugin protects a Fastify scope.
 * @throws {InvalidOptionError} if the plugin already protects this scope, an ancestor or a descendant, because each
 * token would then be verified twice
 */
export function guardScope(scope: FastifyInstance): void {
  const root = rootOf(scope) as Root
  const scopes = (root[guardedScopes] ??= [])
  if (scopes.some(guarded => isInside(scope, guarded) || isInside(guarded, scope)))
    throw new InvalidOptionError(
      'the plugin is already registered in this Fastify scope, in a parent scope or in a child scope; register it once, or in sibling scopes',
    )
  scopes.push(scope)
}
