import createError, { type FastifyErrorConstructor } from '@fastify/error'
import type { Dispatcher } from 'undici'

type Make<Arguments extends unknown[] = []> = FastifyErrorConstructor<
  { code: string; statusCode: number },
  Arguments
>

/**
 * Keeps `detail`, and whatever else answers must not contain, out of `message` and of the enumerable properties. Fastify
 * sends `message` to the external caller. `stack` begins with the detail, so logs show it.
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

/** Startup: an option is invalid. */
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
 * 500: the authorization server refused the token request (RFC 6749 §5.2), and would refuse it again: the client, its
 * credentials, its scopes or its resource are wrong. Never answered as 401, because the external caller is not at fault.
 */
export class TokenRejectedError extends Rejected {
  /** The server's `error`, such as `invalid_client` or `invalid_scope`. Not enumerable. */
  declare readonly error: string
  /** The server's `error_description`, without secrets. Not enumerable. */
  declare readonly errorDescription: string | undefined
  /** Both, for logs. Not enumerable. */
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

/** 503: the authorization server cannot be reached, or does not answer as a token endpoint does. */
export class TokenUnavailableError extends Unavailable {
  /** When the client makes the next token request, in milliseconds from now. */
  readonly retryAfterMs: number
  /** Sent by Fastify's default error handler. */
  readonly headers: Readonly<Record<string, string>>
  /** What failed, for logs. Not enumerable. */
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
  'The request was not sent, because the access token is not meant for its origin',
  500,
)

/** 500: a request to an origin other than that of `baseUrl`; nothing was sent. */
export class OriginNotAllowedError extends OriginNotAllowed {
  /** Both origins, for logs. Not enumerable. */
  declare readonly detail: string

  constructor(allowed: string, requested: string) {
    super()
    conceal(this, `the token is for ${allowed}, the request is for ${requested}`)
  }
}

/** A `TypeError` for a path that could leave `baseUrl`. Paths often hold what an external caller sent. */
export function pathError(message: string, path: string): TypeError {
  const error = new TypeError(message)
  conceal(error, JSON.stringify(path).slice(0, 100))
  return error
}

const UnexpectedStatus: Make = createError(
  'TOKEN_CLIENT_UNEXPECTED_STATUS',
  'The upstream API answered with an unexpected status',
  502,
)

/** 502: the API answers a JSON call, or a call with the interceptors `responseError` or `retry`, with an unexpected status. */
export class UnexpectedStatusError extends UnexpectedStatus {
  /** The API's status. */
  readonly status: number
  /**
   * The API's `Retry-After` (RFC 9110 §10.2.3) in milliseconds, if there is one; at most what `setTimeout` can wait, which
   * is 24.8 days.
   */
  readonly retryAfterMs: number | undefined
  /**
   * The headers of the answer, names in lower case. Not enumerable, as they can hold a cookie; and not called `headers`,
   * which Fastify would send to the external caller.
   */
  declare readonly responseHeaders: Dispatcher.ResponseData['headers']
  /** The beginning of the answer's body, up to 1000 characters. Not enumerable. */
  declare readonly body: string
  /** Method, path and status, for logs. Not enumerable. */
  declare readonly detail: string

  constructor(
    call: string,
    answer: Pick<UnexpectedStatusError, 'status' | 'retryAfterMs' | 'responseHeaders' | 'body'>,
  ) {
    super()
    this.status = answer.status
    this.retryAfterMs = answer.retryAfterMs
    conceal(this, `${call} was answered with ${answer.status}`, {
      responseHeaders: answer.responseHeaders,
      body: answer.body.slice(0, 1000),
    })
  }
}

const UnexpectedBody: Make = createError(
  'TOKEN_CLIENT_UNEXPECTED_BODY',
  'The upstream API answered with an unexpected body',
  502,
)

/**
 * 502: the API answers a JSON call with a body that is not JSON, is too large, or does not match the schema; or, with the
 * interceptor `retry`, a body broke off and could not be resumed.
 */
export class UnexpectedBodyError extends UnexpectedBody {
  /** Method, path and what is wrong, for logs. Not enumerable. */
  declare readonly detail: string

  constructor(call: string, reason: string) {
    super()
    conceal(this, `the body of the answer to ${call} is unexpected: ${reason}`)
  }
}
