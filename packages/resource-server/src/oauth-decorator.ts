import type { Requirement } from './authorize/requirement.js'
import type { RouteRequirement } from './authorize/route-requirement.js'
import { InvalidRouteError } from './errors.js'
import type { Guard } from './guard.js'
import type { ReportedRefusals } from './report-only/reported-refusals.js'
import { formatRoutes, type ListedRoute } from './route-list.js'
import { statsOf, type ResourceServerStats } from './stats.js'
import { createRuleReader } from './verify-by-rule.js'
import { verifiesTokens, type VerifiesTokens, type VerifiesTokensSteps } from './verifies-tokens.js'

/** `fastify.oauth`: the resource server of this scope. */
export interface ResourceServer extends VerifiesTokens {
  /**
   * A hook that demands this of a request, and sets `request.auth`: for @fastify/auth, or for single hooks of a scope
   * with `defaultAccess: 'public'`. It is enforced also with `mode: 'report'`.
   * @throws {InvalidRouteError} when the rule makes no sense
   */
  authenticate(rule?: RouteRequirement): Guard
  /** Every route of this scope and its children, with its rule as it is enforced. */
  routes(): readonly ListedRoute[]
  /** The same as aligned text, a route a line. */
  printRoutes(): string
  /** What was let in and what was not, and how the issuers are doing: for a status page or metrics. */
  stats(): ResourceServerStats
}

/** The parts of `fastify.oauth`. */
export interface OAuthDecoratorSteps extends VerifiesTokensSteps {
  readonly reported: ReportedRefusals
  readonly list: () => readonly ListedRoute[]
  readonly guard: (requirement: Requirement) => Guard
}

/** A rule that is given and undefined is a misspelt name in a table of rules: without it, any valid token would do. */
function refuseUndefinedRule(given: readonly unknown[]): void {
  if (given.length > 0 && given[0] === undefined)
    throw new InvalidRouteError(
      'oauth.authenticate: the rule is undefined (a misspelt name?); give a rule, or leave it out for any valid token',
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
