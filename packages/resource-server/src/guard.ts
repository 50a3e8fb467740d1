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

/** A hook with a callback, as `onRequest`, `preHandler` and @fastify/auth take it. */
export type Guard = (request: FastifyRequest, reply: FastifyReply, done: Done) => void

/** The steps that a request goes through. */
export interface GuardSteps {
  readonly verifier: Pick<CachedVerifier, 'remembered' | 'verify'>
  readonly checkBinding: CheckBinding
  /** Clock and tolerance, for how long ago a user authenticated. */
  readonly times: Times
  readonly refuse: Refuse
  readonly allow: Allow
  /** Where requests are noted that are let in and would be refused. */
  readonly reported: ReportedRefusals
  /** What the route requires; undefined: it is public. */
  readonly requirementOf: (request: FastifyRequest) => Requirement | undefined
}

/**
 * Request → token → verify → binding → scopes → `request.auth`. Synchronous unless a step has to wait. Steps return
 * refusals and throw only if this package or a callback of the application has a fault: then the request gets a 500.
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

  /** May this request use the token, and does the token allow what the route requires? */
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
    // A preflight comes without credentials by design (Fetch Standard).
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
    // Outside of the `try`, because `done` runs the rest of the request: it must be called once, whatever that throws.
    if (!(verdict instanceof Promise)) return finish(verdict, done)
    void verdict.catch((error: unknown) => new GuardFailedError(error)).then(decided => finish(decided, done))
  }
}

/** How the request goes on: with the handler, with an error, or not at all, because the answer has been sent. */
type Verdict = 'proceed' | 'answered' | Error

function finish(verdict: Verdict, done: Done): void {
  if (verdict === 'answered') return
  if (verdict === 'proceed') done()
  else done(verdict)
}

/** Fastify gives decorators of a parent to the requests of older child scopes only as far as these have none of their own. */
export function proceedWithoutToken(request: { auth: AccessToken | null | undefined }): Verdict {
  if (request.auth === undefined) request.auth = null
  return 'proceed'
}

/**
 * Anybody can send the two headers of a preflight, so only routes for OPTIONS alone are open to it: the handler of a route
 * for several methods may not tell them apart. Fastify makes `routeOptions` anew whenever it is read, so it is read last.
 */
function isPreflight(request: FastifyRequest): boolean {
  if (request.method !== 'OPTIONS') return false
  const { origin, 'access-control-request-method': requested } = request.headers
  if (origin === undefined || requested === undefined) return false
  const { config, method } = request.routeOptions
  return config.oauth === undefined && [method].flat().every(name => name === 'OPTIONS')
}
