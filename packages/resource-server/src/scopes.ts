import type { FastifyInstance } from 'fastify'
import { InvalidOptionError } from './errors.js'

/** A property of the root instance that lists the guarded scopes. Several copies of this package share it. */
const guardedScopes = Symbol.for('fastify-resource-server.scopes')

type Root = FastifyInstance & { [guardedScopes]?: FastifyInstance[] }

/** Returns whether a scope is `outer` or one of its descendants. Child scopes inherit from their parent. */
export function isInside(scope: FastifyInstance, outer: FastifyInstance): boolean {
  return scope === outer || Object.prototype.isPrototypeOf.call(outer, scope)
}

/** Returns the root instance, where URLs have no prefix. */
export function rootOf(scope: FastifyInstance): FastifyInstance {
  const parent: unknown = Object.getPrototypeOf(scope)
  return parent === Object.prototype || parent === null ? scope : rootOf(parent as FastifyInstance)
}

/**
 * Returns whether the plugin's hook runs for the routes of a scope. Fastify also runs hooks for child scopes that were
 * created earlier.
 */
export function isGuarded(scope: FastifyInstance): boolean {
  const scopes = (rootOf(scope) as Root)[guardedScopes] ?? []
  return scopes.some(guarded => isInside(scope, guarded))
}

/**
 * Records that the plugin guards a scope.
 * @throws {InvalidOptionError} if an ancestor or a descendant is already guarded, because tokens would be verified
 * twice
 */
export function guardScope(scope: FastifyInstance): void {
  const root = rootOf(scope) as Root
  const scopes = (root[guardedScopes] ??= [])
  if (scopes.some(guarded => isInside(scope, guarded) || isInside(guarded, scope)))
    throw new InvalidOptionError(
      'the plugin is already registered in this scope, in a parent scope or in a child scope; register it once, or in sibling scopes',
    )
  scopes.push(scope)
}
