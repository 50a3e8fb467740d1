import { STATUS_CODES } from 'node:http'
import type { FastifyBaseLogger, FastifyReply, FastifyRequest } from 'fastify'
import type { Requirement } from '../authorize/requirement.js'
import { isObserved, report, since } from '../diagnostics.js'
import {
  InsufficientScopeError,
  InsufficientUserAuthenticationError,
  InvalidDpopProofError,
  InvalidRequestError,
  InvalidTokenError,
  VerificationUnavailable,
  VerificationUnavailableError,
  MissingTokenError,
  Refusal,
  UseDpopNonceError,
  type RefusalDetails,
} from '../errors.js'
import type { Tally } from '../stats.js'
import type { Challenges, Scheme } from './challenge.js'

/** What went wrong, on which route, since when. */
export interface Refused {
  readonly error: unknown
  readonly requirement: Requirement
  readonly scheme: Scheme
  readonly startedAt: number | undefined
}

/**
 * Sets the challenge on the reply and returns the error to go on with: a custom `setErrorHandler` loses the headers
 * of an error, never those of the reply.
 * @returns undefined where it has answered by itself
 */
export type Respond = (request: FastifyRequest, reply: FastifyReply, refused: Refused) => Error | undefined

export function createResponder(challenges: Challenges, tally: Tally, problemDetails: boolean): Respond {
  function respond(
    request: FastifyRequest,
    reply: FastifyReply,
    { error, requirement, scheme, startedAt }: Refused,
  ): PublicError {
    if (error instanceof VerificationUnavailable)
      reply.header('retry-after', Math.max(1, Math.ceil(error.retryAfterMs / 1000)))
    if (error instanceof Refusal)
      reply.header('www-authenticate', challenges(error.reason, requirement, scheme))
    return explain(error, { log: request.log, request, startedAt, tally })
  }

  if (!problemDetails) return respond
  return (request, reply, refused) => {
    const failure = respond(request, reply, refused)
    const { statusCode } = failure
    // Another hook may have answered while the issuer was asked.
    if (statusCode === undefined || reply.sent) return failure
    sendProblem(reply, statusCode, failure)
    return undefined
  }
}

/** A fault of our own has neither. */
type PublicError = Error & { readonly statusCode?: number; readonly code?: string }

/** RFC 9457 §3.1: the status says it all, so the type is about:blank and the title the status text. */
function sendProblem(reply: FastifyReply, status: number, { code, message: detail }: PublicError): void {
  reply
    .code(status)
    .type('application/problem+json')
    .send(JSON.stringify({ type: 'about:blank', title: STATUS_CODES[status], status, detail, code }))
}

function publicError(error: Refusal | VerificationUnavailable, request: FastifyRequest | undefined): Error {
  if (error instanceof VerificationUnavailable) return new VerificationUnavailableError()
  switch (error.reason) {
    case 'missing':
      return new MissingTokenError()
    case 'credentials':
      // Where there is no request, the token is what is wrong.
      return request === undefined ? new InvalidTokenError() : new InvalidRequestError()
    case 'scope':
      return new InsufficientScopeError()
    case 'authentication':
      return new InsufficientUserAuthenticationError()
    case 'proof':
      return new InvalidDpopProofError()
    case 'nonce':
      return new UseDpopNonceError()
    default:
      return new InvalidTokenError()
  }
}

/** Where something was refused: in a request, or in a message of a queue or socket. */
export interface Occasion {
  readonly log: FastifyBaseLogger
  readonly request?: FastifyRequest
  readonly startedAt: number | undefined
  readonly tally: Tally
}

/** What went wrong → the log line, the event, and the public error. */
export function explain(error: unknown, { log, request, startedAt, tally }: Occasion): Error {
  // A fault of our own is nobody's bad token: it stays a 500 with its stack.
  if (!(error instanceof Refusal) && !(error instanceof VerificationUnavailable))
    return error instanceof Error ? error : new Error('not an error', { cause: error })
  const made = publicError(error, request)
  const { code, statusCode = 500 } = made as Error & { code?: string; statusCode?: number }
  const { reason, detail, issuer, kid }: RefusalDetails =
    error instanceof Refusal ? error : { reason: 'unavailable', detail: error.message }
  tally.refused[reason] = (tally.refused[reason] ?? 0) + 1
  log.info({ code, reason, detail, issuer, kid }, 'access refused')
  if (isObserved('fastify-resource-server:deny')) {
    const durationMs = since(startedAt)
    report('fastify-resource-server:deny', { request, statusCode, reason, detail, issuer, kid, durationMs })
  }
  return made
}
