import { AssertionError } from 'node:assert'
import { refuseUnknownNames, show } from '../known-names.js'
import { checkRoute } from './check-route.js'
import type { InjectableApp } from './injectable-app.js'
import { listedRoutes } from './listed-routes.js'
import type { ExpectProtectedOptions } from './options.js'
import { nameOf, type ProtectedRoute } from './protected-route.js'

/**
 * Requests each route without a token, with every bad token, with tokens that lack one of the scopes, and with a good
 * token that has exactly the scopes.
 * @throws {AssertionError} with a line for each wrong answer
 * @throws {TypeError} if there are no routes to check, or an option is invalid
 *
 * @example
 * ```ts
 * await expectProtected(app, { issuer, routes: [{ url: '/receipts', scopes: ['receipts:read'] }] })
 * ```
 */
export async function expectProtected(app: InjectableApp, options: ExpectProtectedOptions): Promise<void> {
  refuseUnknownNames('expectProtected()', options, ['issuer', 'audience', 'routes', 'token'])
  if (options.issuer === undefined)
    throw new TypeError(
      'oauth-test-issuer: expectProtected() wants `issuer`, the issuer that the application trusts',
    )
  const routes = options.routes ?? listedRoutes(app)
  if (routes.length === 0)
    throw new TypeError(
      'oauth-test-issuer: expectProtected() has no routes to check, so it would always pass; give `routes`',
    )
  const wrong: string[] = []
  for (const route of routes) checkGiven(route)
  for (const route of routes) wrong.push(...(await checkRoute(app, route, options)))
  if (wrong.length === 0) return
  throw new AssertionError({
    message: `routes are not protected as they should be:\n\n${wrong.map(line => `  ${line}`).join('\n')}\n`,
    actual: wrong,
    expected: [],
    operator: 'expectProtected',
  })
}

function checkGiven(route: ProtectedRoute): void {
  const { url } = Object(route) as { url?: unknown }
  const name = typeof url === 'string' ? nameOf(route) : 'a route of expectProtected()'
  refuseUnknownNames(name, route, ['method', 'url', 'scopes', 'headers', 'payload'])
  if (typeof url !== 'string')
    throw new TypeError(`oauth-test-issuer: ${name} wants a url such as '/receipts', not ${show(url)}`)
}
