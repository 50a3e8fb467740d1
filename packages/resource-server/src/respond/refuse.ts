import { STATUS_CODES } from 'node:http'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Requirement } from '../authorize/requirement.js'
import type { Refusal } from '../errors.js'
import type { Credentials, NoCredentials } from '../extract-token.js'
import type { Tally } from '../stats.js'
import type { Challenges } from './challenge.js'
import { refusalTable, type RefusalError } from './refusal-table.js'
import { reportRefusal } from './report-refusal.js'

/** A request to a route that requires or accepts a token. */
export interface GuardedRequest {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly requirement: Requirement
  readonly credentials: Credentials | NoCredentials
  readonly startedAt: number | undefined
}

/**
 * Refuses a request. The headers are set on the reply and not on the error, because a custom error handler could ignore
 * the headers of an error.
 * @returns the error to pass to Fastify, or undefined if the response has already been sent
 */
export type Refuse = (refusal: Refusal, refused: GuardedRequest) => Error | undefined

/** Called with each `WWW-Authenticate` header that is set on a reply. */
export type NoteChallenge = (reply: FastifyReply, challenge: string, statusCode: number) => void

/** Creates the function that refuses requests with an error for Fastify's error handler. */
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

/** Changes a function that refuses requests: it sends problem details (RFC 9457) instead of returning the error. */
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
 * Sends problem details. The problem needs no type of its own, because the status code describes it. Its type is
 * therefore `about:blank`, and its title is the status text (RFC 9457 §4.2.1).
 */
function sendProblem(reply: FastifyReply, { statusCode: status, code, message: detail }: RefusalError): void {
  reply
    .code(status)
    .type('application/problem+json')
    .send(JSON.stringify({ type: 'about:blank', title: STATUS_CODES[status], status, detail, code }))
}
