import type { FastifyReply, FastifyRequest } from 'fastify'
import type { AccessToken } from './access-token.js'
import { checkAuthentication, type Times } from './authorize/check-authentication.js'
import { checkScopes } from './authorize/check-scopes.js'
import type { Requirement } from './authorize/requirement.js'
import type { CheckBinding } from './binding/check-binding.js'
import { startTime } from './diagnostics.js'
import { GuardFailedError, Refusal } from './errors.js'
import { extractToken, type Credentials } from './extract-token.js'
import { andThen, type MaybePromise } from './later.js'
import type { Outcome } from './outcome.js'
import type { ReportedRefusals } from './report-only/reported-refusals.js'
import type { Allow } from './respond/allow.js'
import type { GuardedRequest, Refuse } from './respond/refuse.js'
import type { CachedVerifier } from './verifier.js'

type Done = (error?: Error) => void

const noToken = new Refusal('missing')
const unreadable = new Refusal('credentials', 'the Authorization header does not contain exactly one token')

/** A hook with a callback, for `onRequest`, `preHandler` and @fastify/auth. */
export type Guard = (request: FastifyRequest, reply: FastifyReply, done: Done) => void

/** The dependencies of a guard. */
export interface GuardSteps {
  readonly verifier: Pick<CachedVerifier, 'remembered' | 'verify'>
  readonly checkBinding: CheckBinding
  /** The clock and its tolerance, to check how long ago the user authenticated. */
  readonly times: Times
  readonly refuse: Refuse
  readonly allow: Allow
  /** Records requests that are accepted but would be refused. */
  readonly reported: ReportedRefusals
  /** Returns the requirement of the route; undefined if the route is public. */
  readonly requirementOf: (request: FastifyRequest) => Requirement | undefined
}

/**
 * Creates the hook that verifies the token of a request, checks its binding and its scopes, and sets `request.auth`.
 * The hook is synchronous unless a step must wait. Steps return refusals. They throw only if this package or a callback
 * of the application fails: the response is then 500.
 */
export function createGuard(steps: GuardSteps): Guard {
  const { verifier, checkBinding, times, refuse, allow, reported, requirementOf } = steps

  function check(guarded: GuardedRequest): MaybePromise<Outcome> {
    const { credentials } = guarded
    if (credentials === 'missing') return noToken
    if (credentials === 'malformed') return unreadable
    const known = verifier.remembered(credentials.header)
    if (known !== undefined) return checkUse(known, credentials, guarded)
    return andThen(verifier.verify(credentials), outcome => checkUse(outcome, credentials, guarded))
  }

  /** Checks that this request may use the token, and that the token meets the requirement of the route. */
  function checkUse(
    token: Outcome,
    credentials: Credentials,
    { request, reply, requirement }: GuardedRequest,
  ): MaybePromise<Outcome> {
    if (token instanceof Refusal) return token
    const bound = checkBinding(token, { credentials, dpop: requirement.dpop, request, reply })
    if (bound === undefined) return checkRule(token, requirement)
    return andThen(bound, refusal => refusal?.of(token) ?? checkRule(token, requirement))
  }

  function checkRule(token: AccessToken, requirement: Requirement): Outcome {
    const refusal = checkScopes(token, requirement) ?? checkAuthentication(token, requirement, times)
    return refusal?.of(token) ?? token
  }

  function settle(outcome: Outcome, guarded: GuardedRequest): Verdict {
    if (outcome instanceof Refusal) return refuse(outcome, guarded) ?? 'answered'
    allow(outcome, guarded)
    return 'proceed'
  }

  function decide(request: FastifyRequest, reply: FastifyReply): MaybePromise<Verdict> {
    // CORS preflights never have credentials (Fetch Standard).
    if (isPreflight(request)) return proceedWithoutToken(request)
    const requirement = requirementOf(request)
    if (requirement === undefined) return proceedWithoutToken(request)
    const credentials = extractToken(request.raw, requirement.dpop !== 'off')
    if (credentials === 'missing' && requirement.optional) {
      if (requirement.report !== undefined) reported.note(noToken, { request, credentials })
      return proceedWithoutToken(request)
    }
    const guarded = { request, reply, requirement, credentials, startedAt: startTime() }
    const outcome = check(guarded)
    return outcome instanceof Promise
      ? outcome.then(settled => settle(settled, guarded))
      : settle(outcome, guarded)
  }

  return (request, reply, done) => {
    let verdict: MaybePromise<Verdict>
    try {
      verdict = decide(request, reply)
    } catch (error) {
      verdict = new GuardFailedError(error)
    }
    // Called outside of `try`, because `done` runs the rest of the request. It must be called only once, even if it
    // throws.
    if (!(verdict instanceof Promise)) return finish(verdict, done)
    void verdict.catch((error: unknown) => new GuardFailedError(error)).then(decided => finish(decided, done))
  }
}

/** The next step of the request: the handler, an error, or nothing because the response was already sent. */
type Verdict = 'proceed' | 'answered' | Error

function finish(verdict: Verdict, done: Done): void {
  if (verdict === 'answered') return
  if (verdict === 'proceed') done()
  else done(verdict)
}

/**
 * Sets null for routes in child scopes that were created before the plugin: Fastify may not add the decorator there.
 */
export function proceedWithoutToken(request: { auth: AccessToken | null | undefined }): Verdict {
  if (request.auth === undefined) request.auth = null
  return 'proceed'
}

/**
 * Anyone can send the headers of a preflight. Only routes for OPTIONS alone accept it without a token, because a
 * handler for several methods might not distinguish them. `routeOptions` is read last, because Fastify creates a new
 * object for each access.
 */
function isPreflight(request: FastifyRequest): boolean {
  if (request.method !== 'OPTIONS') return false
  const { origin, 'access-control-request-method': requested } = request.headers
  if (origin === undefined || requested === undefined) return false
  const { config, method } = request.routeOptions
  return config.oauth === undefined && [method].flat().every(name => name === 'OPTIONS')
}
