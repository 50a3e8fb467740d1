import type { AccessToken } from './access-token.js'
import { checkAuthentication, type Times } from './authorize/check-authentication.js'
import { checkScopes } from './authorize/check-scopes.js'
import { parseRule } from './authorize/parse-rule.js'
import type { Catalogue, Requirement } from './authorize/requirement.js'
import type { RouteRequirement } from './authorize/route-requirement.js'
import { refuseBound } from './binding/confirmation.js'
import { reportAllowed, startTime } from './diagnostics.js'
import { GuardFailedError, InvalidRouteError, Refusal, type RefusedTokenError } from './errors.js'
import type { Logger } from './log.js'
import type { Scope } from './oauth-types.js'
import type { Outcome } from './outcome.js'
import { refusalTable, type RefusalError } from './respond/refusal-table.js'
import { reportRefusal } from './respond/report-refusal.js'
import type { Tally } from './stats.js'
import type { CachedVerifier } from './verifier.js'
import type { Shown } from './verify/candidate.js'

/** The requirements for a token outside a request. */
export type TokenRequirement<S extends string = Scope> = Omit<
  RouteRequirement<S>,
  'optional' | 'dpop' | 'report'
>

/** Reads a rule. A rule object that has not changed is read only once. */
export type ReadRule = (rule: RouteRequirement | undefined, place: string) => Requirement

export function createRuleReader(catalogue: Catalogue): ReadRule {
  const rules = new WeakMap<object, { readonly copy: RuleCopy; readonly requirement: Requirement }>()
  let anyToken: Requirement | undefined
  return (rule, place) => {
    if (rule === undefined) return (anyToken ??= parseRule(rule, place, catalogue))
    const known = rules.get(rule)
    if (known !== undefined && isUnchanged(rule, known.copy)) return known.requirement
    const requirement = parseRule(rule, place, catalogue)
    rules.set(rule, { copy: copyOf(rule), requirement })
    return requirement
  }
}

/** The keys of a rule with their values at the time it was read. */
type RuleCopy = readonly (readonly [name: string, value: unknown])[]

function copyOf(rule: RouteRequirement): RuleCopy {
  return Object.entries(rule).map(([name, value]) => [
    name,
    Array.isArray(value) ? Array.from<unknown>(value) : value,
  ])
}

/** Comparing a rule is about 100 times faster than reading it. */
function isUnchanged(rule: RouteRequirement, copy: RuleCopy): boolean {
  const entries = Object.entries(rule)
  return (
    entries.length === copy.length &&
    copy.every(([name, value], index) => name === entries[index]?.[0] && isSame(entries[index][1], value))
  )
}

/** Objects other than lists are not copied, so they may have changed. */
function isSame(value: unknown, copy: unknown): boolean {
  if (Array.isArray(value) && Array.isArray(copy))
    return value.length === copy.length && copy.every((item, index) => item === value[index])
  return value === copy && typeof value !== 'object'
}

export type RuleCheckName = 'binding' | 'scopes' | 'authentication'

/** A check of a valid token against a rule. */
export interface RuleCheck {
  readonly name: RuleCheckName
  /** What controls it. */
  readonly option: string
  readonly run: (token: AccessToken, requirement: Requirement, times: Times) => Refusal | undefined
  /** The values that the check uses, by name. Empty if there is nothing to check. */
  readonly shows: (token: AccessToken, requirement: Requirement) => Shown
}

/** The checks of a valid token outside a request, in their order. */
export const ruleChecks: readonly RuleCheck[] = [
  {
    name: 'binding',
    option: 'dpop, clientCertificate',
    run: refuseBound,
    shows: ({ claims: { cnf } }) => ({ cnf }),
  },
  {
    name: 'scopes',
    option: 'scopes, roles and audience of the rule',
    run: checkScopes,
    shows: (token, { scopes, roles, audience }) => ({
      ...(audience === undefined ? {} : { audience: token.audience }),
      ...(scopes.length + roles.length === 0 ? {} : { scopes: token.scopes, roles: token.roles }),
    }),
  },
  {
    name: 'authentication',
    option: 'acr and maxAgeMs of the rule',
    run: checkAuthentication,
    shows: ({ claims }, { acr, maxAgeMs }) => ({
      ...(acr.length === 0 ? {} : { acr: claims['acr'] ?? null }),
      ...(maxAgeMs === undefined ? {} : { auth_time: claims['auth_time'] ?? null }),
    }),
  },
]

/** The dependencies of verification outside a request. */
export interface VerifyByRuleSteps {
  readonly verifier: CachedVerifier
  readonly readRule: ReadRule
  readonly times: Times
  readonly log: Logger
  readonly tally: Tally
}

/** @throws {RefusedTokenError} {GuardFailedError} */
export type VerifyByRule = (token: string, rule?: RouteRequirement) => Promise<AccessToken>

/**
 * Creates a function that verifies tokens outside a request.
 * @param place the name of the function in errors about rules
 */
export function createVerifyByRule(steps: VerifyByRuleSteps, place: string): VerifyByRule {
  const { verifier, readRule, times, log, tally } = steps

  /**
   * Refuses bound tokens, because a binding cannot be proved outside a request. Text that cannot be a token counts as
   * malformed.
   */
  async function check(raw: unknown, requirement: Requirement): Promise<Outcome> {
    if (typeof raw !== 'string') return new Refusal('malformed', 'the token is not a string')
    const presented = { accessToken: raw, header: `Bearer ${raw}` }
    const token = verifier.remembered(presented.header) ?? (await verifier.verify(presented))
    if (token instanceof Refusal)
      return token.reason === 'credentials' ? new Refusal('malformed', token.detail) : token
    for (const { run } of ruleChecks) {
      const refusal = run(token, requirement, times)
      if (refusal !== undefined) return refusal
    }
    return token
  }

  async function checkByRule(raw: unknown, rule: RouteRequirement | undefined): Promise<Outcome> {
    return check(raw, readTokenRule(rule, place, readRule))
  }

  return async (raw, rule) => {
    const startedAt = startTime()
    const token = await checkByRule(raw, rule).catch((error: unknown) => {
      throw error instanceof InvalidRouteError
        ? new GuardFailedError(error, 'The rule is invalid; `cause` and the log say why')
        : new GuardFailedError(error)
    })
    if (token instanceof Refusal) {
      const error = refusalTable[token.reason].createError()
      reportRefusal(token, error, { log, tally, startedAt })
      throw withDetails(error, token)
    }
    tally.allowed += 1
    reportAllowed(token, startedAt)
    return token
  }
}

/** @throws {InvalidRouteError} also for requirements that only a request can meet */
export function readTokenRule(
  rule: RouteRequirement | undefined,
  place: string,
  readRule: ReadRule,
): Requirement {
  const requirement = readRule(rule, place)
  refuseUncheckable(rule, place)
  return requirement
}

/**
 * JavaScript callers can pass these keys. They cannot be checked here, and ignoring them would accept too many tokens.
 */
function refuseUncheckable({ optional, dpop, report }: RouteRequirement = {}, place: string): void {
  if (report !== undefined)
    throw new InvalidRouteError(`${place}: \`report\` has no effect outside a request; leave it out`)
  if (optional === true)
    throw new InvalidRouteError(`${place}: \`optional\` has no effect outside a request; leave it out`)
  if (dpop === 'require')
    throw new InvalidRouteError(
      `${place}: \`dpop: 'require'\` cannot be checked outside a request; leave it out`,
    )
}

/**
 * Adds details that are not enumerable: Fastify sends only the message of an error, and error handlers may send
 * enumerable properties.
 */
function withDetails(error: RefusalError, { reason, detail, kid, issuer }: Refusal): RefusedTokenError {
  for (const [name, value] of Object.entries({ reason, detail, kid, issuer }))
    Object.defineProperty(error, name, { value, enumerable: false })
  return error as RefusedTokenError // The cast: the properties were added above.
}
