import type { Requirement } from './authorize/requirement.js'
import type { RouteRequirement } from './authorize/route-requirement.js'
import { InvalidRouteError } from './errors.js'
import type { Guard } from './guard.js'
import type { ReportedRefusals } from './report-only/reported-refusals.js'
import { formatRoutes, type ListedRoute } from './route-list.js'
import { statsOf, type ResourceServerStats } from './stats.js'
import { createRuleReader } from './verify-by-rule.js'
import { verifiesTokens, type VerifiesTokens, type VerifiesTokensSteps } from './verifies-tokens.js'

/** The type of `fastify.oauth`. */
export interface ResourceServer extends VerifiesTokens {
  /**
   * Creates a hook that checks requests against an access rule and sets `request.auth`. Use it with @fastify/auth, or
   * to protect individual routes if `defaultAccess` is `'public'`. The hook enforces the rule even if `mode` is
   * `'report'`.
   * @throws {InvalidRouteError} if the rule is invalid
   */
  authenticate(rule?: RouteRequirement): Guard
  /** Returns the routes of this Fastify scope and its child scopes, each with the rule that is enforced for it. */
  routes(): readonly ListedRoute[]
  /** Returns the routes as aligned text, with one route per line. */
  printRoutes(): string
  /** Returns how many requests and tokens were accepted and refused, and the state of each issuer's keys. */
  stats(): ResourceServerStats
}

/** The dependencies of `fastify.oauth`. */
export interface OAuthDecoratorSteps extends VerifiesTokensSteps {
  readonly reported: ReportedRefusals
  readonly list: () => readonly ListedRoute[]
  readonly guard: (requirement: Requirement) => Guard
}

/**
 * Rejects a rule that is passed explicitly as `undefined`, because it probably results from a misspelt name. If it
 * counted as omitted, the hook would accept any valid token.
 */
function refuseUndefinedRule(given: readonly unknown[]): void {
  if (given.length > 0 && given[0] === undefined)
    throw new InvalidRouteError(
      'oauth.authenticate: the rule is undefined (is the name of the rule misspelt?); pass a rule, or no argument to accept any valid token',
    )
}

export function createOAuthDecorator(steps: OAuthDecoratorSteps): ResourceServer {
  const { verifier, settings, tally, reported, list, guard } = steps
  const readRule = createRuleReader(settings)
  return Object.freeze({
    ...verifiesTokens(steps, 'oauth.'),
    authenticate: (...given: readonly [rule?: RouteRequirement]) => {
      refuseUndefinedRule(given)
      return guard(readRule(given[0], 'oauth.authenticate'))
    },
    routes: list,
    printRoutes: () => formatRoutes(list()),
    stats: () => statsOf(tally, verifier.state(), reported.list()),
  } satisfies ResourceServer)
}
