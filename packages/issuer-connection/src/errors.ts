/** An authorization server could not be reached, or its answer is unusable. The message holds no secret. */
export class IssuerConnectionError extends Error {
  override readonly name = 'IssuerConnectionError'
  /** The HTTP status of the answer; undefined if there was no answer. */
  readonly status: number | undefined
  /** The answer's `Retry-After` header (RFC 9110 §10.2.3), unparsed. */
  readonly retryAfter: string | undefined

  constructor(
    message: string,
    details: { status?: number | undefined; retryAfter?: string | undefined; cause?: unknown } = {},
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.status = details.status
    this.retryAfter = details.retryAfter
  }
}
