import createError, { type FastifyErrorConstructor } from '@fastify/error'
import type { Dispatcher } from 'undici'

type Make<Arguments extends unknown[] = []> = FastifyErrorConstructor<
  { code: string; statusCode: number },
  Arguments
>

/** Boot: an option is wrong. */
export const InvalidOptionError: Make<[string]> = createError(
  'TOKEN_CLIENT_INVALID_OPTION',
  'fastify-token-client: %s',
  500,
  TypeError,
)

const Rejected: Make<[string]> = createError(
  'TOKEN_CLIENT_REJECTED',
  'The authorization server refuses a token: %s',
  500,
)

/**
 * 500: the authorization server refused the request for a token (RFC 6749 §5.2), and would again: the client, its
 * credentials, scopes or resource are wrong. Never answered as 401: it is not our caller who lacks anything.
 */
export class TokenRejectedError extends Rejected {
  /** The server's `error`, such as `invalid_client` or `invalid_scope`. */
  readonly error: string
  readonly errorDescription: string | undefined

  constructor(error: string, errorDescription?: string) {
    super(errorDescription === undefined ? error : `${error} (${errorDescription})`)
    this.error = error
    this.errorDescription = errorDescription
  }
}

const Unavailable: Make<[string]> = createError(
  'TOKEN_CLIENT_UNAVAILABLE',
  'Could not get an access token: %s',
  503,
)

/** 503: the authorization server cannot be reached, or answers with something that is no answer. */
export class TokenUnavailableError extends Unavailable {
  /** When the client asks again, in milliseconds from now. */
  readonly retryAfterMs: number
  /** For Fastify's default error handler. */
  readonly headers: Readonly<Record<string, string>>

  constructor(reason: string, retryAfterMs: number) {
    super(reason)
    this.retryAfterMs = retryAfterMs
    this.headers = { 'retry-after': String(Math.max(1, Math.ceil(retryAfterMs / 1000))) }
  }
}

/** 500: a request to an origin that the token is not for; nothing was sent. */
export const OriginNotAllowedError: Make<[string, string]> = createError(
  'TOKEN_CLIENT_ORIGIN_NOT_ALLOWED',
  'The token is for %s; a request to %s was not sent',
  500,
)

const UnexpectedStatus: Make<[string, number]> = createError(
  'TOKEN_CLIENT_UNEXPECTED_STATUS',
  '%s is answered with %d, which was not expected',
  502,
)

/** 502: the API answers a call for JSON, or one with the interceptors `responseError` or `retry`, with a status that was not expected. */
export class UnexpectedStatusError extends UnexpectedStatus {
  /** The API's status. */
  readonly status: number
  /**
   * How long the API asks to be left alone (`Retry-After`, RFC 9110 §10.2.3), in milliseconds, where it says so; at most
   * what `setTimeout` can wait, which is 24.8 days.
   */
  readonly retryAfterMs: number | undefined
  /**
   * The headers of its answer, names in lower case. Kept out of logs, as they can hold a cookie; and not called
   * `headers`, which Fastify would send to our own caller.
   */
  declare readonly responseHeaders: Dispatcher.ResponseData['headers']
  /** The beginning of what it said, up to 1000 characters. Kept out of logs. */
  declare readonly body: string

  constructor(
    call: string,
    answer: Pick<UnexpectedStatusError, 'status' | 'retryAfterMs' | 'responseHeaders' | 'body'>,
  ) {
    super(call, answer.status)
    this.status = answer.status
    this.retryAfterMs = answer.retryAfterMs
    Object.defineProperties(this, {
      responseHeaders: { value: answer.responseHeaders, enumerable: false },
      body: { value: answer.body.slice(0, 1000), enumerable: false },
    })
  }
}

/**
 * 502: the API answers a call for JSON with a body that is none, that is too large, or that does not fit the schema; or,
 * with the interceptor `retry`, one that broke off and did not go on as it began.
 */
export const UnexpectedBodyError: Make<[string, string]> = createError(
  'TOKEN_CLIENT_UNEXPECTED_BODY',
  '%s is answered with a body that was not expected: %s',
  502,
)
