import { STATUS_CODES } from 'node:http'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Requirement } from '../authorize/requirement.js'
import { isObserved, report } from '../diagnostics.js'
import {
  InsufficientScopeError,
  InvalidRequestError,
  InvalidTokenError,
  KeysUnavailable,
  KeysUnavailableError,
  MissingTokenError,
  Refusal,
  type RefusalDetails,
} from '../errors.js'
import type { Challenges } from './challenge.js'

/** What went wrong, on which route, since when. */
export interface Refused {
  readonly error: unknown
  readonly requirement: Requirement
  readonly startedAt: number
}

/**
 * Sets the challenge on the reply and returns the error to go on with: a custom `setErrorHandler` loses the headers
 * of an error, never those of the reply.
 */
export type Respond = (request: FastifyRequest, reply: FastifyReply, refused: Refused) => Error

export function createResponder(challenges: Challenges, problemDetails: boolean): Respond {
  const respond: Respond = (request, reply, { error, requirement, startedAt }) => {
    if (error instanceof KeysUnavailable) {
      reply.header('retry-after', Math.max(1, Math.ceil(error.retryAfterMs / 1000)))
      return tell(request, startedAt, withoutStack(KeysUnavailableError), { reason: 'keys_unavailable' })
    }
    // A fault of our own is nobody's bad token: it stays a 500 with its stack.
    if (!(error instanceof Refusal))
      return error instanceof Error ? error : new Error('not an error', { cause: error })
    const [challenge, made] = answerTo(error, requirement, challenges)
    reply.header('www-authenticate', challenge)
    return tell(request, startedAt, made, error)
  }
  if (!problemDetails) return respond
  return (request, reply, refused) => {
    const failure = respond(request, reply, refused)
    sendProblem(reply, failure)
    return failure
  }
}

/** RFC 9457 §3.1: the status says it all, so the type is about:blank and the title the status text. */
function sendProblem(reply: FastifyReply, error: Error & { statusCode?: number; code?: string }): void {
  const { statusCode: status, code, message: detail } = error
  if (status === undefined) return
  reply
    .code(status)
    .type('application/problem+json')
    .send(JSON.stringify({ type: 'about:blank', title: STATUS_CODES[status], status, detail, code }))
}

function answerTo(
  { reason }: Refusal,
  { scopes }: Requirement,
  challenges: Challenges,
): [challenge: string, error: Error] {
  switch (reason) {
    case 'missing':
      return [challenges.missing, withoutStack(MissingTokenError)]
    case 'credentials':
      return [challenges.invalidRequest, withoutStack(InvalidRequestError)]
    case 'scope':
      return [challenges.insufficientScope(scopes), withoutStack(InsufficientScopeError)]
    default:
      return [challenges.invalidToken, withoutStack(InvalidTokenError)]
  }
}

/** The caller's mistake has no place in our code to point at, and a stack trace is most of what an error costs. */
function withoutStack<E extends Error>(Make: new () => E): E {
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  try {
    return new Make()
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
}

function tell(
  request: FastifyRequest,
  startedAt: number,
  error: Error,
  { reason, detail, issuer, kid }: RefusalDetails,
): Error {
  const { code, statusCode = 500 } = error as Error & { code?: string; statusCode?: number }
  request.log.info({ code, reason, detail, issuer, kid }, 'access refused')
  if (isObserved('fastify-resource-server:deny')) {
    const durationMs = performance.now() - startedAt
    report('fastify-resource-server:deny', { request, statusCode, reason, detail, issuer, kid, durationMs })
  }
  return error
}
