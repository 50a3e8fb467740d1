import createError, { type FastifyErrorConstructor } from '@fastify/error'
import type { Dispatcher } from 'undici'

type Make<Arguments extends unknown[] = []> = FastifyErrorConstructor<
  { code: string; statusCode: number },
  Arguments
>

/**
 * Adds `detail` and other properties as non-enumerable properties, because Fastify sends the message and all enumerable
 * properties to external callers. The stack includes the detail, so that logs show it.
 */
function conceal(error: Error, detail: string, more: Readonly<Record<string, unknown>> = {}): void {
  for (const [name, value] of Object.entries({ ...more, detail }))
    Object.defineProperty(error, name, { value, enumerable: false })
  const { stack, message } = error
  if (stack === undefined) return
  Object.defineProperty(error, 'stack', {
    value: stack.replace(message, () => `${message}: ${detail}`),
    enumerable: false,
    writable: true,
    configurable: true,
  })
}

/** Thrown if an option is invalid. */
export const InvalidOptionError: Make<[string]> = createError(
  'TOKEN_CLIENT_INVALID_OPTION',
  'fastify-token-client: %s',
  500,
  TypeError,
)

const Rejected: Make = createError(
  'TOKEN_CLIENT_REJECTED',
  'The authorization server refused the token request',
  500,
)

/**
 * Thrown if the authorization server refuses the token request (RFC 6749 §5.2) and would refuse it again, because the
 * client id, the credentials, the scopes or the resource are wrong. The HTTP status of this error is 500 and not 401,
 * because the external caller is not at fault.
 */
export class TokenRejectedError extends Rejected {
  /** The server's `error` code, such as `invalid_client` or `invalid_scope`. This property is not enumerable. */
  declare readonly error: string
  /** The server's `error_description`, with secrets removed. This property is not enumerable. */
  declare readonly errorDescription: string | undefined
  /** The error code and its description, for logs. This property is not enumerable. */
  declare readonly detail: string

  constructor(error: string, errorDescription?: string) {
    super()
    conceal(this, errorDescription === undefined ? error : `${error} (${errorDescription})`, {
      error,
      errorDescription,
    })
  }
}

const Unavailable: Make = createError('TOKEN_CLIENT_UNAVAILABLE', 'Could not get an access token', 503)

/**
 * Thrown if no token is available because the authorization server is unreachable or its response is invalid. The HTTP
 * status of this error is 503.
 */
export class TokenUnavailableError extends Unavailable {
  /** The time until the next token request, in milliseconds. */
  readonly retryAfterMs: number
  /** The response headers that Fastify's default error handler sends. */
  readonly headers: Readonly<Record<string, string>>
  /** A description of the failure for logs. This property is not enumerable. */
  declare readonly detail: string

  constructor(detail: string, retryAfterMs: number) {
    super()
    this.retryAfterMs = retryAfterMs
    this.headers = { 'retry-after': String(Math.max(1, Math.ceil(retryAfterMs / 1000))) }
    conceal(this, detail)
  }
}

const OriginNotAllowed: Make = createError(
  'TOKEN_CLIENT_ORIGIN_NOT_ALLOWED',
  'The request was not sent because the access token is not meant for the origin of the request URL',
  500,
)

/**
 * Thrown if the origin of a request is not the origin of `baseUrl`. The request is not sent. The HTTP status of this
 * error is 500.
 */
export class OriginNotAllowedError extends OriginNotAllowed {
  /** The allowed origin and the requested origin, for logs. This property is not enumerable. */
  declare readonly detail: string

  constructor(allowed: string, requested: string) {
    super()
    conceal(this, `the token may be sent only to ${allowed}, but the origin of the request is ${requested}`)
  }
}

/**
 * Creates the error for a path that could lead outside `baseUrl`. The message does not contain the path, because the
 * path often comes from an external caller.
 */
export function pathError(message: string, path: string): TypeError {
  const error = new TypeError(message)
  conceal(error, JSON.stringify(path).slice(0, 100))
  return error
}

const UnexpectedStatus: Make = createError(
  'TOKEN_CLIENT_UNEXPECTED_STATUS',
  'The upstream API responded with an unexpected status',
  502,
)

/**
 * Thrown if the API responds with an unexpected status to a JSON call, or to a call with the interceptor
 * `responseError` or `retry`. The HTTP status of this error is 502.
 */
export class UnexpectedStatusError extends UnexpectedStatus {
  /** The API's status. */
  readonly status: number
  /**
   * The API's `Retry-After` header (RFC 9110 §10.2.3) in milliseconds, or undefined if the header is missing or
   * invalid. The value is at most 24.8 days, which is the maximum delay of `setTimeout`.
   */
  readonly retryAfterMs: number | undefined
  /**
   * The response headers, with names in lower case. This property is not enumerable, because headers can contain
   * cookies. The property is not named `headers`, because Fastify would send a property of that name to the external
   * caller.
   */
  declare readonly responseHeaders: Dispatcher.ResponseData['headers']
  /** The first 1000 characters of the response body. This property is not enumerable. */
  declare readonly body: string
  /** The method, path and status, for logs. This property is not enumerable. */
  declare readonly detail: string

  constructor(
    call: string,
    answer: Pick<UnexpectedStatusError, 'status' | 'retryAfterMs' | 'responseHeaders' | 'body'>,
  ) {
    super()
    this.status = answer.status
    this.retryAfterMs = answer.retryAfterMs
    conceal(this, `${call}: the API responded with ${answer.status}`, {
      responseHeaders: answer.responseHeaders,
      body: answer.body.slice(0, 1000),
    })
  }
}

const UnexpectedBody: Make = createError(
  'TOKEN_CLIENT_UNEXPECTED_BODY',
  'The upstream API responded with an unexpected body',
  502,
)

/**
 * Thrown if the response body of a JSON call is not JSON, is too large or does not match the schema, or if the
 * interceptor `retry` cannot resume an interrupted body. The HTTP status of this error is 502.
 */
export class UnexpectedBodyError extends UnexpectedBody {
  /** The method, the path and the reason, for logs. This property is not enumerable. */
  declare readonly detail: string

  constructor(call: string, reason: string) {
    super()
    conceal(this, `unexpected response body for ${call}: ${reason}`)
  }
}
