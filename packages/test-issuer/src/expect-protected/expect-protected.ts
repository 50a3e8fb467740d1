import { AssertionError } from 'node:assert'
import { instance, listOf, object, optional, show, text, type Declares } from 'declared-options'
import { anything, audienceOption, jsonObject, readOptions, scopesOption, wrong } from '../read-options.js'
import { checkRoute } from './check-route.js'
import type { InjectableApp } from './injectable-app.js'
import type { TestIssuer } from '../test-issuer.js'
import type { TokenOptions } from '../token-options.js'
import { listedRoutes } from './listed-routes.js'
import type { ExpectProtectedOptions } from './options.js'
import type { ProtectedRoute } from './protected-route.js'

const route = {
  method: optional(text('an HTTP method')),
  url: text("a path such as '/receipts'"),
  scopes: optional(scopesOption),
  headers: optional(anything<Readonly<Record<string, string>>>('headers')),
  payload: optional(anything<string | object>('a body')),
} satisfies Declares<ProtectedRoute>

const declaration = {
  issuer: instance<TestIssuer>(['token', 'badTokens'], 'an issuer created by createTestIssuer()'),
  audience: optional(audienceOption),
  routes: optional(
    listOf(object(route, "a route such as { url: '/receipts' }"), 'a list with at least one route'),
  ),
  token: optional(jsonObject<TokenOptions>('an object with token options')),
} satisfies Declares<ExpectProtectedOptions>

/**
 * Checks that routes are protected. Requests each route without a token, with every invalid token, with tokens that
 * each lack one required scope, and with a valid token that has exactly the required scopes.
 * @throws {AssertionError} if a response is wrong. The message has one line for each wrong response
 * @throws {TypeError} if there are no routes to check, or if an option is invalid
 *
 * @example
 * ```ts
 * await expectProtected(app, { issuer, routes: [{ url: '/receipts', scopes: ['receipts:read'] }] })
 * ```
 */
export async function expectProtected(app: InjectableApp, options: ExpectProtectedOptions): Promise<void> {
  readOptions('expectProtected()', options, declaration)
  if (typeof (app as Partial<InjectableApp> | undefined)?.inject !== 'function')
    throw wrong('expectProtected()', `the application is ${show(app)}; expected a Fastify instance`)
  const routes = options.routes ?? listedRoutes(app)
  if (routes.length === 0)
    throw wrong(
      'expectProtected()',
      'there are no routes to check, so the test would always pass; list at least one route in the option routes',
    )
  const failures: string[] = []
  for (const one of routes) failures.push(...(await checkRoute(app, one, options)))
  if (failures.length === 0) return
  throw new AssertionError({
    message: `some routes are not protected correctly:\n\n${failures.map(line => `  ${line}`).join('\n')}\n`,
    actual: failures,
    expected: [],
    operator: 'expectProtected',
  })
}
