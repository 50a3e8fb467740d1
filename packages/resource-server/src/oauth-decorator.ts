import type { AccessToken } from './access-token.js'
import type { Catalogue, Requirement } from './authorize/requirement.js'
import type { RouteRequirement } from './authorize/route-requirement.js'
import { InvalidRouteError } from './errors.js'
import { explainToken } from './explain/explain-token.js'
import type { Explanation } from './explain/explanation.js'
import type { Guard } from './guard.js'
import type { Logger } from './log.js'
import { revokesTokens, type RevokesTokens } from './revocation/revokes-tokens.js'
import type { ReportedRefusals } from './report-only/reported-refusals.js'
import { formatRoutes, type ListedRoute } from './route-list.js'
import { statsOf, type ResourceServerStats, type Tally } from './stats.js'
import type { CachedVerifier } from './verifier.js'
import {
  createRuleReader,
  createVerifyByRule,
  readTokenRule,
  type TokenRequirement,
} from './verify-by-rule.js'

/** `fastify.oauth`: the resource server of this scope. */
export interface ResourceServer extends RevokesTokens {
  /**
   * Verifies a token that did not come in an `Authorization` header: in a WebSocket message or a queue, say.
   * @param rule what is demanded of it, as in `config.oauth`; any valid token, if left out
   * @throws {RefusedTokenError} the error that a request would be answered with, such as `InvalidTokenError`
   * (`OAUTH_INVALID_TOKEN`), with the `reason` and `detail` that the log has
   * @throws {GuardFailedError} if the rule makes no sense; `cause` says why
   */
  verify(token: string, rule?: TokenRequirement): Promise<AccessToken>
  /**
   * Lists every check of a token with its result, what it found, the option that controls it and how to fix it. It runs
   * the steps of verification with the keys that are in use, and counts and logs nothing.
   * @param rule what is demanded of it, as in `config.oauth`; any valid token, if left out
   * @throws {InvalidRouteError} when the rule makes no sense
   */
  explain(token: string, rule?: TokenRequirement): Promise<Explanation>
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

/** What `fastify.oauth` works with. */
export interface OAuthDecoratorSteps {
  readonly verifier: CachedVerifier
  readonly settings: Catalogue & { readonly clock: () => number; readonly clockToleranceMs: number }
  readonly log: Logger
  readonly tally: Tally
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
  const { verifier, settings, log, tally, reported, list, guard } = steps
  const readRule = createRuleReader(settings)
  return Object.freeze({
    verify: createVerifyByRule({ verifier, readRule, times: settings, log, tally }, 'oauth.verify'),
    explain: async (token, rule) =>
      explainToken(token, {
        verifier,
        times: settings,
        requirement: readTokenRule(rule, 'oauth.explain', readRule),
      }),
    authenticate: (...given: readonly [rule?: RouteRequirement]) => {
      refuseUndefinedRule(given)
      return guard(readRule(given[0], 'oauth.authenticate'))
    },
    routes: list,
    printRoutes: () => formatRoutes(list()),
    ...revokesTokens(verifier.revocations),
    stats: () => statsOf(tally, verifier.state(), reported.list()),
  } satisfies ResourceServer)
}
