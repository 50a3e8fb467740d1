/** Why an authorization server could not be used. `unusable answer` is any answer without the expected content. */
export type ConnectionProblem =
  | 'unreachable'
  | 'timeout'
  | 'certificate'
  | 'client refused'
  | 'issuer mismatch'
  | 'unusable answer'

/** An authorization server could not be reached, or its answer is unusable. The message holds no secret. */
export class IssuerConnectionError extends Error {
  override readonly name = 'IssuerConnectionError'
  /** The HTTP status of the answer; undefined if there was no answer. */
  readonly status: number | undefined
  /** The answer's `Retry-After` header (RFC 9110 §10.2.3), unparsed. */
  readonly retryAfter: string | undefined
  /** Why the server could not be used. */
  readonly problem: ConnectionProblem

  constructor(
    message: string,
    details: {
      status?: number | undefined
      retryAfter?: string | undefined
      problem?: ConnectionProblem
      cause?: unknown
    } = {},
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.status = details.status
    this.retryAfter = details.retryAfter
    this.problem = details.problem ?? 'unusable answer'
  }
}

/** The problem of a failed exchange with an authorization server; undefined for other errors. */
export function problemOf(thrown: unknown): ConnectionProblem | undefined {
  return thrown instanceof IssuerConnectionError ? thrown.problem : undefined
}

const longestMessage = 200

/** The message of a thrown value, short enough for a log line: third-party code also throws text, or nothing. */
export function messageOf(thrown: unknown): string {
  try {
    const message: unknown = (thrown as { message?: unknown } | null | undefined)?.message ?? thrown
    if (typeof message === 'string' && message !== '') return message.slice(0, longestMessage)
  } catch {
    // Reading the message threw as well.
  }
  return 'no reason was given'
}

/**
 * What was thrown, or an error in place of something that is no object. Callers take a falsy value for success: undici
 * resolves a call with it, and Fastify starts.
 */
export function asError(thrown: unknown): Error {
  // Errors of other realms are errors too, and an object is never taken for success.
  if (typeof thrown === 'object' && thrown !== null) return thrown as Error
  return new Error(messageOf(thrown), { cause: thrown })
}
