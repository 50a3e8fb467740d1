import { clip, IssuerConnectionError, messageOf } from 'oauth-issuer-connection'
import { readRetryAfter } from '../retry-after.js'

/**
 * A failed token request, as a result value that is never thrown. It is `permanent` if the server refused the request
 * (RFC 6749 §5.2) or the client cannot create one. A retry would then fail again.
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
 * The members of errors from oauth4webapi and undici that contain no secret. The `cause` of such an error can contain
 * the whole response.
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
  /** The server's response, if there was one. */
  readonly response: Response | undefined
  /** Removes secrets from the server's text, because some servers repeat what they received. */
  readonly hide: (text: string) => string
  readonly now: () => number
}

/** Longer values of `Retry-After` are reduced, so that one response cannot stop the client for hours. */
const longestRetryAfterMs = 300_000

/** Converts an exception of a token request into a failure. */
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

/** Error codes of RFC 6749 §4.1.2.1 that some servers also return here. They report a problem of the server. */
const outageCodes: ReadonlySet<string> = new Set(['temporarily_unavailable', 'server_error'])

/** Returns true for an error response (RFC 6749 §5.2) that concerns the request, not the state of the server. */
function isRefusal(known: KnownError): known is KnownError & { error: string } {
  const { error, status = 500 } = known
  return typeof error === 'string' && !outageCodes.has(error) && status < 500 && status !== 429
}
