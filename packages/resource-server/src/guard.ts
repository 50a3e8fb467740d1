import type { FastifyReply, FastifyRequest } from 'fastify'
import type { AccessToken } from './access-token.js'
import { checkAuthentication } from './authorize/check-authentication.js'
import { checkScopes } from './authorize/check-scopes.js'
import type { Requirement } from './authorize/requirement.js'
import type { CheckBinding } from './binding/check-binding.js'
import { reportAllowed } from './diagnostics.js'
import { Refusal } from './errors.js'
import { extractToken, type Credentials, type IsKnown } from './extract-token.js'
import type { Respond } from './respond/refuse.js'
import type { Tally } from './stats.js'
import type { VerifyToken } from './verify/verify-token.js'

/** A hook with a callback, as `onRequest`, `preHandler` and @fastify/auth take it. */
export type Guard = (request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void) => void

/** The steps that a request goes through. */
export interface GuardSteps {
  readonly isKnown: IsKnown
  readonly verify: VerifyToken
  readonly checkBinding: CheckBinding
  /** Clock and tolerance, for how long ago a user authenticated. */
  readonly times: { readonly clock: () => number; readonly clockToleranceMs: number }
  readonly respond: Respond
  readonly tally: Tally
  /** What the route demands; undefined where it is public. */
  readonly requirementOf: (request: FastifyRequest) => Requirement | undefined
}

/** Request → token → verify → binding → scopes → `request.auth`. Synchronous where verification is. */
export function createGuard(steps: GuardSteps): Guard {
  const { isKnown, verify, checkBinding, times, respond, tally, requirementOf } = steps
  return (request, reply, done) => {
    // What doesn't exist stays 404, and a preflight comes without credentials by design (Fetch Standard).
    if (request.is404 || isPreflight(request)) return done()
    const requirement = requirementOf(request)
    if (requirement === undefined) return done()

    const startedAt = performance.now()
    let scheme: Credentials['scheme'] = 'bearer'
    const allow = (token: AccessToken): void => {
      checkScopes(token, requirement)
      checkAuthentication(token, requirement, times)
      request.auth = token
      tally.allowed += 1
      reportAllowed(token, startedAt, request)
    }
    const refuse = (error: unknown): void => {
      const failure = respond(request, reply, { error, requirement, scheme, startedAt })
      if (!reply.sent) done(failure)
    }

    try {
      const { dpop } = requirement
      const credentials = extractToken(request.raw, dpop !== 'off', isKnown)
      if (credentials === 'missing') {
        if (requirement.optional) return done()
        throw new Refusal('missing')
      }
      if (credentials === 'malformed')
        throw new Refusal('credentials', 'the Authorization header is no single token')
      scheme = credentials.scheme
      const bind = (token: AccessToken): void | Promise<void> =>
        checkBinding(token, { credentials, dpop, request, reply })
      const verified = verify(credentials.accessToken)
      const settled = verified instanceof Promise ? verified.then(bind) : bind(verified)
      if (settled instanceof Promise) {
        Promise.all([verified, settled])
          .then(([token]) => allow(token))
          .then(() => done(), refuse)
        return
      }
      allow(verified as AccessToken)
    } catch (error) {
      return refuse(error)
    }
    done()
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
