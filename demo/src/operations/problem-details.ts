import { STATUS_CODES } from 'node:http'
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { Problem } from '../schemas.js'

interface ProblemAnswer extends Problem {
  /** The invalid parts of the request. */
  readonly errors?: readonly { readonly pointer: string; readonly detail: string }[]
}

/** An error with extension members for its response (RFC 9457 §3.2). */
interface ExtendedError extends FastifyError {
  readonly members?: Readonly<Record<string, string>>
}

/** Answers every error with problem details (RFC 9457). Internal details are only logged. */
export const problemDetails = fp(async (app: FastifyInstance) => {
  app.setErrorHandler<ExtendedError>((error, request, reply) => {
    const problem = describe(error)
    if (problem.status >= 500) request.log.error({ err: error }, 'request failed')
    if (problem.status === 503 && !reply.hasHeader('retry-after')) reply.header('retry-after', 1)
    return send(reply, problem)
  })
  app.setNotFoundHandler(({ method, url }: FastifyRequest, reply: FastifyReply) =>
    send(reply, { title: title(404), status: 404, detail: `There is no ${method} ${url.split('?')[0]}.` }),
  )
})

/**
 * For Fastify's `frameworkErrors`: answers a URL that cannot be decoded, such as `/%zz`. Fastify runs no hooks for such
 * a URL, so this function sets the security headers itself.
 */
export function badUrlProblem(error: FastifyError, _request: FastifyRequest, reply: FastifyReply): void {
  reply.headers({ 'content-security-policy': "default-src 'none'", 'x-content-type-options': 'nosniff' })
  send(reply, describe(error))
}

function describe(error: ExtendedError): ProblemAnswer {
  const { statusCode: status = 500, code, message, members, validation, validationContext } = error
  // Callers can act on a 503, but not on other 5xx errors.
  if (status >= 500 && status !== 503)
    return { title: title(500), status: 500, detail: 'An internal error occurred and was logged.' }
  const problem = {
    title: title(status),
    status,
    detail: message,
    ...(code === undefined ? {} : { code }),
    ...members,
  }
  if (validation === undefined) return problem
  const errors = validation.map(({ instancePath, message: detail = 'is invalid' }) => ({
    pointer: `/${validationContext ?? 'body'}${instancePath}`,
    detail,
  }))
  return { ...problem, errors }
}

function title(status: number): string {
  return STATUS_CODES[status] ?? 'Error'
}

function send(reply: FastifyReply, problem: ProblemAnswer): FastifyReply {
  return reply.code(problem.status).type('application/problem+json').serializer(JSON.stringify).send(problem)
}
