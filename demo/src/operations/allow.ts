import type { RouteRequirement } from 'fastify-resource-server'

/** Needs the scope, or the application permission of the same name, which is how Entra ID grants it to machines. */
export function allow(permission: string): RouteRequirement {
  return { scopes: [permission], roles: [permission] }
}
