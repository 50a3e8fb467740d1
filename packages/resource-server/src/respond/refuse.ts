import { STATUS_CODES } from 'node:http'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Requirement } from '../authorize/requirement.js'
import type { Refusal } from '../errors.js'
import type { Credentials, NoCredentials } from '../extract-token.js'
import type { Tally } from '../stats.js'
import type { Challenges } from './challenge.js'
import { refusalTable, type RefusalError } from './refusal-table.js'
import { reportRefusal } from './report-refusal.js'

/** A request to a route that is not public. */
export interface GuardedRequest {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly requirement: Requirement
  readonly credentials: Credentials | NoCredentials
  readonly startedAt: number | undefined
}

/**
 * Refuses a request. Headers are set on the reply rather than on the error, because a custom error handler could ignore
 * the error's headers.
 * @returns the error to pass to Fastify, or undefined if the response has already been sent
 */
export type Refuse = (refusal: Refusal, refused: GuardedRequest) => Error | undefined

/** Called for each `WWW-Authenticate` header that is set on a reply. */
export type NoteChallenge = (reply: FastifyReply, challenge: string, statusCode: number) => void

/** Creates a function that refuses requests by returning an error for Fastify's error handler. */
export function createRefuse(
  challenges: Challenges,
  tally: Tally,
  noteChallenge?: NoteChallenge,
): (refusal: Refusal, refused: GuardedRequest) => RefusalError {
  return (refusal, { request, reply, requirement, credentials, startedAt }) => {
    const { reason, retryAfterMs } = refusal
    const error = refusalTable[reason].createError()
    if (retryAfterMs !== undefined) reply.header('retry-after', Math.max(1, Math.ceil(retryAfterMs / 1000)))
    const scheme = typeof credentials === 'string' ? 'bearer' : credentials.scheme
    const challenge = challenges(reason, requirement, scheme)
    if (challenge !== undefined) {
      reply.header('www-authenticate', challenge)
      noteChallenge?.(reply, challenge, error.statusCode)
    }
    reportRefusal(refusal, error, { log: request.log, tally, request, startedAt })
    return error
  }
}

/**
 * Wraps a function that refuses requests, so that problem details (RFC 9457) are sent instead of Fastify's error body.
 */
export function withProblemDetails(refuse: ReturnType<typeof createRefuse>): Refuse {
  return (refusal, refused) => {
    const error = refuse(refusal, refused)
    // Another hook may have sent a response while this hook waited for the issuer.
    if (refused.reply.sent) return error
    sendProblem(refused.reply, error)
    return undefined
  }
}

/**
 * Sends problem details. The status code already describes the problem, so the type is `about:blank` and the title is
 * the status text (RFC 9457 §4.2.1).
 */
function sendProblem(reply: FastifyReply, { statusCode: status, code, message: detail }: RefusalError): void {
  reply
    .code(status)
    .type('application/problem+json')
    .send(JSON.stringify({ type: 'about:blank', title: STATUS_CODES[status], status, detail, code }))
}
