import type { InjectableApp, ListedRoute } from './injectable-app.js'
import type { ProtectedRoute } from './protected-route.js'

/** The protected routes that fastify-resource-server lists. @throws {TypeError} if it is not registered */
export function listedRoutes({ oauth }: InjectableApp): readonly ProtectedRoute[] {
  if (oauth === undefined)
    throw new TypeError(
      'oauth-test-issuer: expectProtected() wants `routes`: the application does not list them, because fastify-resource-server is not registered on it',
    )
  return oauth
    .routes()
    .filter(({ access }) => access === 'protected')
    .flatMap(({ methods, url, requirement }) =>
      methods
        .filter(method => method !== 'HEAD' && method !== 'OPTIONS')
        .map(method => ({ method, url, scopes: sufficient(requirement) })),
    )
}

/** The fewest scopes that meet the requirement. */
function sufficient(requirement: ListedRoute['requirement']): readonly string[] {
  const { scopes, match } = requirement ?? { scopes: [], match: 'all' }
  return match === 'all' ? scopes : scopes.slice(0, 1)
}
