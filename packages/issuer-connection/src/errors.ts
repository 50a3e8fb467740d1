/** The kind of failure. `unusable answer` means a response without the expected content. */
export type ConnectionProblem =
  | 'unreachable'
  | 'timeout'
  | 'certificate'
  | 'client refused'
  | 'issuer mismatch'
  | 'unusable answer'

/** Thrown if the authorization server is unreachable or its response is unusable. The message contains no secrets. */
export class IssuerConnectionError extends Error {
  override readonly name = 'IssuerConnectionError'
  /** The HTTP status of the response, or undefined if there was no response. */
  readonly status: number | undefined
  /** The unparsed `Retry-After` header of the response (RFC 9110 §10.2.3). */
  readonly retryAfter: string | undefined
  /** The kind of failure. */
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

/** Returns the kind of failure of an {@link IssuerConnectionError}, or undefined for any other error. */
export function problemOf(thrown: unknown): ConnectionProblem | undefined {
  return thrown instanceof IssuerConnectionError ? thrown.problem : undefined
}

const longestMessage = 200

/** Returns a short message for any thrown value, including undefined. */
export function messageOf(thrown: unknown): string {
  try {
    const message: unknown = (thrown as { message?: unknown } | null | undefined)?.message ?? thrown
    if (typeof message === 'string' && message !== '') return message.slice(0, longestMessage)
  } catch {
    // A getter of the thrown value may itself throw.
  }
  return 'no reason was given'
}

/**
 * Returns a thrown object unchanged, and wraps any other thrown value in an Error, because undici and Fastify would
 * treat a falsy value as success.
 */
export function asError(thrown: unknown): Error {
  // `instanceof Error` returns false for errors from another realm.
  if (typeof thrown === 'object' && thrown !== null) return thrown as Error
  return new Error(messageOf(thrown), { cause: thrown })
}
