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
const unreadable = new Refusal('credentials', 'the Authorization header must contain exactly one token')

/** A Fastify hook with a callback, for use as `onRequest` or `preHandler`, or with @fastify/auth. */
export type Guard = (request: FastifyRequest, reply: FastifyReply, done: Done) => void

/** The dependencies of the hook that checks requests. */
export interface GuardSteps {
  readonly verifier: Pick<CachedVerifier, 'remembered' | 'verify'>
  readonly checkBinding: CheckBinding
  /** The clock and the tolerated clock skew, for checking how recently the user authenticated. */
  readonly times: Times
  readonly refuse: Refuse
  readonly allow: Allow
  /** Records requests that are accepted only because of `mode: 'report'` or a route's `report`. */
  readonly reported: ReportedRefusals
  /** Returns the requirement of the request's route, or undefined if the route is public. */
  readonly requirementOf: (request: FastifyRequest) => Requirement | undefined
}

/**
 * Creates the hook that verifies a request's token, checks it against the route's rule and sets `request.auth`. The
 * hook finishes synchronously unless a check has to wait, for example for the issuer's keys. If a check throws, this
 * package or one of the application's callbacks has failed, and the client receives a 500 response.
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

  /** Checks that the request may use a verified token, and that the token meets the route's requirement. */
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
    // CORS preflight requests need no token, because they never contain credentials (Fetch Standard).
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
    // `done` runs the rest of the request. It is called outside of `try`, so that an error thrown by `done` does not lead to a second call.
    if (!(verdict instanceof Promise)) return finish(verdict, done)
    void verdict.catch((error: unknown) => new GuardFailedError(error)).then(decided => finish(decided, done))
  }
}

/**
 * What happens after the check: the handler runs, the request fails with an error, or nothing happens because a
 * response has already been sent.
 */
type Verdict = 'proceed' | 'answered' | Error

function finish(verdict: Verdict, done: Done): void {
  if (verdict === 'answered') return
  if (verdict === 'proceed') done()
  else done(verdict)
}

/**
 * Sets `request.auth` to null if it is undefined, which happens in child scopes that were created before the plugin was
 * registered.
 */
export function proceedWithoutToken(request: { auth: AccessToken | null | undefined }): Verdict {
  if (request.auth === undefined) request.auth = null
  return 'proceed'
}

/**
 * Returns whether a request is a CORS preflight to a route that handles only OPTIONS. Requests to any other route are
 * not exempt from the token check, because any client can send the headers of a preflight. `routeOptions` is read last,
 * because Fastify creates a new object on each access.
 */
function isPreflight(request: FastifyRequest): boolean {
  if (request.method !== 'OPTIONS') return false
  const { origin, 'access-control-request-method': requested } = request.headers
  if (origin === undefined || requested === undefined) return false
  const { config, method } = request.routeOptions
  return config.oauth === undefined && [method].flat().every(name => name === 'OPTIONS')
}
