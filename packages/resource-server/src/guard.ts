import type { FastifyReply, FastifyRequest } from 'fastify'
import type { AccessToken } from './access-token.js'
import { checkAuthentication } from './authorize/check-authentication.js'
import { checkScopes } from './authorize/check-scopes.js'
import type { Requirement } from './authorize/requirement.js'
import type { CheckBinding } from './binding/check-binding.js'
import { reportAllowed, startTime } from './diagnostics.js'
import { Refusal } from './errors.js'
import { extractToken, type Credentials } from './extract-token.js'
import { andThen, type MaybePromise } from './later.js'
import type { Outcome } from './outcome.js'
import type { GuardedRequest, Refuse } from './respond/refuse.js'
import type { Tally } from './stats.js'
import type { Verifier } from './verifier.js'

type Done = (error?: Error) => void

/** A hook with a callback, as `onRequest`, `preHandler` and @fastify/auth take it. */
export type Guard = (request: FastifyRequest, reply: FastifyReply, done: Done) => void

/** The steps that a request goes through. */
export interface GuardSteps {
  readonly verifier: Pick<Verifier, 'remembered' | 'verify'>
  readonly checkBinding: CheckBinding
  /** Clock and tolerance, for how long ago a user authenticated. */
  readonly times: { readonly clock: () => number; readonly clockToleranceMs: number }
  readonly refuse: Refuse
  readonly tally: Tally
  /** What the route requires; undefined: it is public. */
  readonly requirementOf: (request: FastifyRequest) => Requirement | undefined
}

/** Request → token → verify → binding → scopes → `request.auth`. Synchronous unless a step has to wait. */
export function createGuard(steps: GuardSteps): Guard {
  const { verifier, checkBinding, times, refuse, tally, requirementOf } = steps

  function check(guarded: GuardedRequest): MaybePromise<Outcome> {
    const { credentials } = guarded
    if (credentials === 'missing') return new Refusal('missing')
    if (credentials === 'malformed')
      return new Refusal('credentials', 'the Authorization header is no single token')
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
    return andThen(bound, refusal => refusal ?? checkRule(token, requirement))
  }

  function checkRule(token: AccessToken, requirement: Requirement): Outcome {
    return checkScopes(token, requirement) ?? checkAuthentication(token, requirement, times) ?? token
  }

  function settle(outcome: Outcome, guarded: GuardedRequest, done: Done): void {
    const { request, startedAt } = guarded
    if (outcome instanceof Refusal) {
      const error = refuse(outcome, guarded)
      return error === undefined ? undefined : done(error)
    }
    request.auth = outcome
    tally.allowed += 1
    reportAllowed(outcome, startedAt, request)
    done()
  }

  return (request, reply, done) => {
    // A preflight comes without credentials by design (Fetch Standard).
    if (isPreflight(request)) return proceedWithoutToken(request, done)
    const requirement = requirementOf(request)
    if (requirement === undefined) return proceedWithoutToken(request, done)
    const credentials = extractToken(request.raw, requirement.dpop !== 'off')
    if (credentials === 'missing' && requirement.optional) return proceedWithoutToken(request, done)
    const guarded = { request, reply, requirement, credentials, startedAt: startTime() }
    let outcome: MaybePromise<Outcome>
    try {
      outcome = check(guarded)
    } catch (error) {
      return done(asError(error))
    }
    if (!(outcome instanceof Promise)) return settle(outcome, guarded, done)
    outcome.then(
      settled => settle(settled, guarded, done),
      error => done(asError(error)),
    )
  }
}

/** Fastify gives decorators of a parent to the requests of older child scopes only as far as these have none of their own. */
function proceedWithoutToken(request: { auth: AccessToken | null | undefined }, done: Done): void {
  if (request.auth === undefined) request.auth = null
  done()
}

/** Steps return refusals and throw only when this package, or a callback of the application, has a fault: a 500. */
function asError(thrown: unknown): Error {
  return thrown instanceof Error
    ? thrown
    : new Error('a step of the guard threw a value that is no error', { cause: thrown })
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
