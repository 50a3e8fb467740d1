import type { FastifyReply, FastifyRequest } from 'fastify'
import type { AccessToken } from './access-token.js'
import { checkAuthentication } from './authorize/check-authentication.js'
import { checkScopes } from './authorize/check-scopes.js'
import type { Requirement } from './authorize/requirement.js'
import type { CheckBinding } from './binding/check-binding.js'
import { reportAllowed, startTime } from './diagnostics.js'
import { Refusal } from './errors.js'
import { extractToken, schemeOf, type Credentials, type Recall } from './extract-token.js'
import type { Outcome } from './outcome.js'
import type { Respond } from './respond/refuse.js'
import type { Tally } from './stats.js'
import type { VerifyToken } from './verify/verify-token.js'

type Done = (error?: Error) => void

/** A hook with a callback, as `onRequest`, `preHandler` and @fastify/auth take it. */
export type Guard = (request: FastifyRequest, reply: FastifyReply, done: Done) => void

/** The steps that a request goes through. */
export interface GuardSteps {
  readonly recall: Recall
  readonly verify: VerifyToken
  readonly checkBinding: CheckBinding
  /** Clock and tolerance, for how long ago a user authenticated. */
  readonly times: { readonly clock: () => number; readonly clockToleranceMs: number }
  readonly respond: Respond
  readonly tally: Tally
  /** What the route demands; undefined where it is public. */
  readonly requirementOf: (request: FastifyRequest) => Requirement | undefined
}

/** One request at the guard. */
interface Visit {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly done: Done
  readonly requirement: Requirement
  readonly startedAt: number | undefined
}

/** Request → token → verify → binding → scopes → `request.auth`. Synchronous where verification is. */
export function createGuard(steps: GuardSteps): Guard {
  const { recall, verify, checkBinding, times, respond, tally, requirementOf } = steps

  /** @returns undefined where a token is optional and none came */
  function authenticate(visit: Visit): Outcome | Promise<Outcome> | undefined {
    const { dpop, optional } = visit.requirement
    const credentials = extractToken(visit.request.raw, dpop !== 'off', recall)
    if (credentials === 'missing') return optional ? undefined : new Refusal('missing')
    if (credentials === 'malformed')
      return new Refusal('credentials', 'the Authorization header is no single token')
    const token = credentials.known ?? verify(credentials.accessToken, credentials.header)
    return token instanceof Promise
      ? token.then(settled => authorize(settled, credentials, visit))
      : authorize(token, credentials, visit)
  }

  function authorize(token: Outcome, credentials: Credentials, visit: Visit): Outcome | Promise<Outcome> {
    if (token instanceof Refusal) return token
    const { request, reply, requirement } = visit
    const bound = checkBinding(token, { credentials, dpop: requirement.dpop, request, reply })
    return bound instanceof Promise
      ? bound.then(refusal => refusal ?? allows(token, requirement))
      : (bound ?? allows(token, requirement))
  }

  function allows(token: AccessToken, requirement: Requirement): Outcome {
    return checkScopes(token, requirement) ?? checkAuthentication(token, requirement, times) ?? token
  }

  function settle(outcome: Outcome, visit: Visit): void {
    if (outcome instanceof Refusal) return refuse(outcome, visit)
    const { request, done, startedAt } = visit
    request.auth = outcome
    tally.allowed += 1
    reportAllowed(outcome, startedAt, request)
    done()
  }

  /** @param error a refusal, or what was thrown on the way */
  function refuse(error: unknown, { request, reply, done, requirement, startedAt }: Visit): void {
    const scheme = schemeOf(request.raw, requirement.dpop !== 'off')
    const failure = respond(request, reply, { error, requirement, scheme, startedAt })
    if (failure !== undefined) done(failure)
  }

  return (request, reply, done) => {
    // A preflight comes without credentials by design (Fetch Standard).
    if (isPreflight(request)) return done()
    const requirement = requirementOf(request)
    if (requirement === undefined) return done()
    const visit = { request, reply, done, requirement, startedAt: startTime() }
    let outcome: Outcome | Promise<Outcome> | undefined
    try {
      outcome = authenticate(visit)
    } catch (error) {
      return refuse(error, visit)
    }
    if (outcome === undefined) return done()
    if (!(outcome instanceof Promise)) return settle(outcome, visit)
    outcome.then(
      settled => settle(settled, visit),
      error => refuse(error, visit),
    )
  }
}

/**
 * Two headers make a preflight, and anybody can send them: only a route that is for OPTIONS alone is open to it, never
 * one for several methods, whose handler may not tell them apart. `routeOptions` is made anew whenever it is read, so it
 * is read last.
 */
function isPreflight(request: FastifyRequest): boolean {
  if (request.method !== 'OPTIONS') return false
  const { origin, 'access-control-request-method': requested } = request.headers
  if (origin === undefined || requested === undefined) return false
  const { config, method } = request.routeOptions
  return config.oauth === undefined && [method].flat().every(name => name === 'OPTIONS')
}
