import type { FastifyBaseLogger } from 'fastify'
import type { AccessToken } from './access-token.js'
import { checkScopes } from './authorize/check-scopes.js'
import { checkAuthentication } from './authorize/check-authentication.js'
import {
  parseRule,
  type Catalogue,
  type Requirement,
  type RouteRequirement,
} from './authorize/requirement.js'
import { refuseBound } from './binding/confirmation.js'
import { reportAllowed, startTime } from './diagnostics.js'
import { GuardFailedError, InvalidRouteError, Refusal, type RefusedTokenError } from './errors.js'
import type { Guard } from './guard.js'
import type { Outcome } from './outcome.js'
import { refusalTable, type RefusalError } from './respond/refusal-table.js'
import { reportRefusal } from './respond/report-refusal.js'
import { formatRoutes, type ListedRoute } from './route-list.js'
import type { ResourceServerStats, Tally } from './stats.js'
import type { Verifier } from './verifier.js'

/** What a token outside a request may have to fulfil. */
export type TokenRequirement = Omit<RouteRequirement, 'optional' | 'dpop'>

/** `fastify.oauth`: the resource server of this scope. */
export interface ResourceServer {
  /**
   * Verifies a token that did not come in an `Authorization` header: in a WebSocket message or a queue, say.
   * @param rule what is demanded of it, as in `config.oauth`; any valid token, if left out
   * @throws {RefusedTokenError} the error that a request would be answered with, such as `InvalidTokenError`
   * (`OAUTH_INVALID_TOKEN`), with the `reason` and `detail` that the log has
   * @throws {GuardFailedError} if the rule makes no sense; `cause` says why
   */
  verify(token: string, rule?: TokenRequirement): Promise<AccessToken>
  /**
   * A hook that demands this of a request, and sets `request.auth`: for @fastify/auth, or for single hooks of a scope
   * with `defaultAccess: 'public'`.
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
  readonly verifier: Verifier
  readonly settings: Catalogue & { readonly clock: () => number; readonly clockToleranceMs: number }
  readonly log: FastifyBaseLogger
  readonly tally: Tally
  readonly list: () => readonly ListedRoute[]
  readonly guard: (requirement: Requirement) => Guard
}

/** For callers without types: a key that cannot be checked here would let tokens in. */
function refuseUncheckable({ optional, dpop }: RouteRequirement = {}): void {
  if (optional === true) throw new InvalidRouteError('oauth.verify: there is no `optional` here')
  if (dpop === 'require')
    throw new InvalidRouteError("oauth.verify: there is no `dpop: 'require'` here, since no proof can be had")
}

export function createOAuthDecorator(steps: OAuthDecoratorSteps): ResourceServer {
  const { verifier, settings, log, tally, list, guard } = steps
  const rules = new WeakMap<object, Requirement>()
  let anyToken: Requirement | undefined

  function requirementOf(rule: RouteRequirement | undefined, place: string): Requirement {
    if (rule === undefined) return (anyToken ??= parseRule(rule, place, settings))
    const known = rules.get(rule)
    if (known !== undefined) return known
    const requirement = parseRule(rule, place, settings)
    rules.set(rule, requirement)
    return requirement
  }

  /** Without a request, no binding can be proved, and what is no token at all is a malformed one. */
  async function verifyAlone(raw: unknown, requirement: Requirement): Promise<Outcome> {
    if (typeof raw !== 'string') return new Refusal('malformed', 'the token is no string')
    const presented = { accessToken: raw, header: `Bearer ${raw}` }
    const token = verifier.remembered(presented.header) ?? (await verifier.verify(presented))
    if (token instanceof Refusal)
      return token.reason === 'credentials' ? new Refusal('malformed', token.detail) : token
    return (
      refuseBound(token) ??
      checkScopes(token, requirement) ??
      checkAuthentication(token, requirement, settings) ??
      token
    )
  }

  async function verifyByRule(raw: unknown, rule: RouteRequirement | undefined): Promise<Outcome> {
    const requirement = requirementOf(rule, 'oauth.verify')
    refuseUncheckable(rule)
    return verifyAlone(raw, requirement)
  }

  return Object.freeze({
    async verify(raw, rule) {
      const startedAt = startTime()
      const token = await verifyByRule(raw, rule).catch((error: unknown) => {
        throw new GuardFailedError(error)
      })
      if (token instanceof Refusal) {
        const error = refusalTable[token.reason].createError()
        reportRefusal(token, error, { log, tally, startedAt })
        throw explain(error, token)
      }
      tally.allowed += 1
      reportAllowed(token, startedAt)
      return token
    },
    authenticate: rule => guard(requirementOf(rule, 'oauth.authenticate')),
    routes: list,
    printRoutes: () => formatRoutes(list()),
    stats: () => ({ allowed: tally.allowed, refused: { ...tally.refused }, ...verifier.state() }),
  } satisfies ResourceServer)
}

/** Fastify sends the message of an error, and error handlers may send its enumerable properties: these are neither. */
function explain(error: RefusalError, { reason, detail, kid, issuer }: Refusal): RefusedTokenError {
  for (const [name, value] of Object.entries({ reason, detail, kid, issuer }))
    Object.defineProperty(error, name, { value, enumerable: false })
  return error as RefusedTokenError // it has the properties now
}
