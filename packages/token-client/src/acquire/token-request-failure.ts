import { clip, IssuerConnectionError, messageOf } from 'oauth-issuer-connection'
import { readRetryAfter } from '../retry-after.js'

/**
 * A failed token request. This object is returned as a result and is never thrown. A failure is `permanent` if a retry
 * would fail in the same way, because the server refused the request (RFC 6749 §5.2) or the client cannot create the
 * request.
 */
export class TokenRequestFailure {
  readonly permanent: boolean
  readonly error: string
  readonly description: string | undefined
  readonly retryAfterMs: number | undefined

  constructor(
    error: string,
    details: {
      permanent?: boolean
      description?: string | undefined
      retryAfterMs?: number | undefined
    } = {},
  ) {
    this.error = error
    this.permanent = details.permanent ?? false
    this.description = details.description
    this.retryAfterMs = details.retryAfterMs
  }

  /** The error code and its description, for logs. */
  get detail(): string {
    return this.description === undefined ? this.error : `${this.error} (${this.description})`
  }
}

/**
 * The members of oauth4webapi and undici errors that are safe to log. The rest of `cause` is not safe, because it can
 * contain the whole response.
 */
interface KnownError {
  readonly error?: unknown
  readonly error_description?: unknown
  readonly status?: number
  readonly name?: string
  readonly message?: string
  readonly cause?: { readonly message?: string; readonly code?: string }
}

/** The exchange that failed. */
interface FailedExchange {
  /** The server's response, or undefined if the server did not respond. */
  readonly response: Response | undefined
  /** Redacts secrets in text from the server, because some servers repeat the request in their error messages. */
  readonly hide: (text: string) => string
  readonly now: () => number
}

/**
 * The maximum delay in milliseconds that a `Retry-After` header can request, so that one response cannot stop the
 * client for hours.
 */
const longestRetryAfterMs = 300_000

/** Converts an exception from a token request into a failure. */
export function failureFrom(error: unknown, { response, hide, now }: FailedExchange): TokenRequestFailure {
  if (error instanceof IssuerConnectionError)
    return new TokenRequestFailure(clip(hide(error.message), 600), {
      retryAfterMs: readRetryAfter(error.retryAfter, now(), longestRetryAfterMs),
    })
  const known: KnownError = typeof error === 'object' && error !== null ? error : {}
  if (isRefusal(known)) {
    const description =
      typeof known.error_description === 'string' ? clip(hide(known.error_description)) : undefined
    return new TokenRequestFailure(clip(hide(known.error)), { permanent: true, description })
  }
  const retryAfterMs = readRetryAfter(response?.headers.get('retry-after'), now(), longestRetryAfterMs)
  if (response !== undefined && !response.ok)
    return new TokenRequestFailure(`the authorization server responded with status ${response.status}`, {
      retryAfterMs,
    })
  return new TokenRequestFailure(clip(hide(known.cause?.code ?? known.cause?.message ?? messageOf(error))), {
    retryAfterMs,
  })
}

/**
 * The error codes that indicate a problem of the server, not an invalid request. RFC 6749 §4.1.2.1 defines these codes
 * for authorization responses, but some servers also use them in token responses.
 */
const outageCodes: ReadonlySet<string> = new Set(['temporarily_unavailable', 'server_error'])

/**
 * Returns true if an error response (RFC 6749 §5.2) means that the request is wrong, and false if the server has a
 * problem.
 */
function isRefusal(known: KnownError): known is KnownError & { error: string } {
  const { error, status = 500 } = known
  return typeof error === 'string' && !outageCodes.has(error) && status < 500 && status !== 429
}
