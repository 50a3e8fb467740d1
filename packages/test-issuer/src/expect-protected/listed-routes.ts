import type { InjectableApp, ListedRoute } from './injectable-app.js'
import type { ProtectedRoute } from './protected-route.js'

/**
 * Returns the routes that fastify-resource-server protects, including routes in report mode.
 * @throws {TypeError} if the plugin is not registered
 */
export function listedRoutes({ oauth }: InjectableApp): readonly ProtectedRoute[] {
  if (oauth === undefined)
    throw new TypeError(
      'oauth-test-issuer: expectProtected() needs `routes`, because fastify-resource-server is not registered in this scope and cannot list the routes',
    )
  return oauth
    .routes()
    .filter(({ access }) => access === 'protected' || access === 'report')
    .flatMap(({ methods, url, requirement }) =>
      methods
        .filter(method => method !== 'HEAD' && method !== 'OPTIONS')
        .map(method => ({ method, url, scopes: sufficient(requirement) })),
    )
}

/** Returns the smallest set of scopes with which a token gives access to the route. */
function sufficient(requirement: ListedRoute['requirement']): readonly string[] {
  const { scopes, match, acceptedScopes = [] } = requirement ?? { scopes: [], match: 'all' }
  if (match === 'any') return scopes.slice(0, 1)
  return scopes.filter((scope, index) => !isIncluded(scope, acceptedScopes[index], scopes))
}

/** Returns whether a required scope is included in another required scope. If so, a token does not need both. */
function isIncluded(scope: string, accepted: readonly string[] = [], scopes: readonly string[]): boolean {
  return accepted.some(other => other !== scope && scopes.includes(other))
}
