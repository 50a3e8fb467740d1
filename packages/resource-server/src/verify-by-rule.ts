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

/** The requirements for a token that was not sent in a request. */
export type TokenRequirement<S extends string = Scope> = Omit<
  RouteRequirement<S>,
  'optional' | 'dpop' | 'report'
>

/** Parses an access rule and caches the result until the rule object is changed. */
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

/** The property names and values of an access rule, copied when it was parsed. */
type RuleCopy = readonly (readonly [name: string, value: unknown])[]

function copyOf(rule: RouteRequirement): RuleCopy {
  return Object.entries(rule).map(([name, value]) => [
    name,
    Array.isArray(value) ? Array.from<unknown>(value) : value,
  ])
}

/** Returns whether a rule is unchanged. Comparing it with its copy is about 100 times faster than parsing it again. */
function isUnchanged(rule: RouteRequirement, copy: RuleCopy): boolean {
  const entries = Object.entries(rule)
  return (
    entries.length === copy.length &&
    copy.every(([name, value], index) => name === entries[index]?.[0] && isSame(entries[index][1], value))
  )
}

/** Returns whether a value still equals its copy. Only lists are copied, so any other object counts as changed. */
function isSame(value: unknown, copy: unknown): boolean {
  if (Array.isArray(value) && Array.isArray(copy))
    return value.length === copy.length && copy.every((item, index) => item === value[index])
  return value === copy && typeof value !== 'object'
}

export type RuleCheckName = 'binding' | 'scopes' | 'authentication'

export interface RuleCheck {
  readonly name: RuleCheckName
  /** The options that control the check. */
  readonly option: string
  readonly run: (token: AccessToken, requirement: Requirement, times: Times) => Refusal | undefined
  /** The values that the check uses, by name. If there is nothing to check, the object is empty. */
  readonly shows: (token: AccessToken, requirement: Requirement) => Shown
}

/** The checks of an access rule that a token must pass, in the order in which they run. */
export const ruleChecks: readonly RuleCheck[] = [
  {
    name: 'binding',
    option: 'dpop, clientCertificate',
    run: refuseBound,
    shows: ({ claims: { cnf } }) => ({ cnf }),
  },
  {
    name: 'scopes',
    option: "the rule's scopes, roles and audience",
    run: checkScopes,
    shows: (token, { scopes, roles, audience }) => ({
      ...(audience === undefined ? {} : { audience: token.audience }),
      ...(scopes.length + roles.length === 0 ? {} : { scopes: token.scopes, roles: token.roles }),
    }),
  },
  {
    name: 'authentication',
    option: "the rule's acr and maxAgeMs",
    run: checkAuthentication,
    shows: ({ claims }, { acr, maxAgeMs }) => ({
      ...(acr.length === 0 ? {} : { acr: claims['acr'] ?? null }),
      ...(maxAgeMs === undefined ? {} : { auth_time: claims['auth_time'] ?? null }),
    }),
  },
]

/** The dependencies for verifying a token outside a request. */
export interface VerifyByRuleSteps {
  readonly verifier: CachedVerifier
  readonly readRule: ReadRule
  readonly times: Times
  readonly log: Logger
  readonly tally: Tally
}

/**
 * Verifies a token and checks it against a rule.
 * @throws {RefusedTokenError} if the token is refused
 * @throws {GuardFailedError} if the rule is invalid or verification fails unexpectedly
 */
export type VerifyByRule = (token: string, rule?: RouteRequirement) => Promise<AccessToken>

/**
 * Creates a function that verifies tokens outside a request.
 * @param place the name of that function, for error messages about rules
 */
export function createVerifyByRule(steps: VerifyByRuleSteps, place: string): VerifyByRule {
  const { verifier, readRule, times, log, tally } = steps

  /**
   * Verifies a token and checks it against a requirement. Tokens that are bound to a key are refused, because
   * possession of the key can be proved only in a request.
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
        ? new GuardFailedError(error, 'The rule is invalid; the cause of this error contains the reason')
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

/**
 * Parses the access rule for a token that was not sent in a request.
 * @throws {InvalidRouteError} if the rule is invalid, or contains a requirement that only a request can meet
 */
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
 * Rejects properties of a rule that make sense only for requests. TypeScript does not allow these properties, but
 * JavaScript callers can pass them. If they were ignored, tokens could be accepted by mistake.
 */
function refuseUncheckable({ optional, dpop, report }: RouteRequirement = {}, place: string): void {
  if (report !== undefined)
    throw new InvalidRouteError(`${place}: \`report\` has no effect outside a request; remove it`)
  if (optional === true)
    throw new InvalidRouteError(`${place}: \`optional\` has no effect outside a request; remove it`)
  if (dpop === 'require')
    throw new InvalidRouteError(
      `${place}: \`dpop: 'require'\` cannot be checked outside a request; remove it`,
    )
}

/**
 * Adds a refusal's details to the error as properties that are not enumerable. Fastify and error handlers send only
 * enumerable properties, so they do not send the details to the client.
 */
function withDetails(error: RefusalError, { reason, detail, kid, issuer }: Refusal): RefusedTokenError {
  for (const [name, value] of Object.entries({ reason, detail, kid, issuer }))
    Object.defineProperty(error, name, { value, enumerable: false })
  return error as RefusedTokenError
}
