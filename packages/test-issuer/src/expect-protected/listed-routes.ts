import type { InjectableApp, ListedRoute } from './injectable-app.js'
import type { ProtectedRoute } from './protected-route.js'

/** The routes that fastify-resource-server lists and that need a token, also if it only reports. @throws {TypeError} if it is not registered */
export function listedRoutes({ oauth }: InjectableApp): readonly ProtectedRoute[] {
  if (oauth === undefined)
    throw new TypeError(
      'oauth-test-issuer: expectProtected() needs `routes`: the application does not list its routes, because fastify-resource-server is not registered',
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

/** The fewest scopes that meet the requirement. */
function sufficient(requirement: ListedRoute['requirement']): readonly string[] {
  const { scopes, match, acceptedScopes = [] } = requirement ?? { scopes: [], match: 'all' }
  if (match === 'any') return scopes.slice(0, 1)
  return scopes.filter((scope, index) => !isIncluded(scope, acceptedScopes[index], scopes))
}

/** Whether another required scope grants this one too: a token without it is good. */
function isIncluded(scope: string, accepted: readonly string[] = [], scopes: readonly string[]): boolean {
  return accepted.some(other => other !== scope && scopes.includes(other))
}
