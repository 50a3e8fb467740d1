import { clip, IssuerConnectionError, messageOf } from 'oauth-issuer-connection'
import { readRetryAfter } from '../retry-after.js'

/**
 * Why there is no token: a result value, never thrown. `permanent`: the server refused the request (RFC 6749 §5.2), or
 * the client cannot make one, and trying again would change nothing.
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

  /** For logs: the error code, and the description if there is one. */
  get detail(): string {
    return this.description === undefined ? this.error : `${this.error} (${this.description})`
  }
}

/** The members of oauth4webapi's and undici's errors that hold no secret. Their causes can hold the whole answer. */
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
  /** The server's answer, if there was one. */
  readonly response: Response | undefined
  /** Removes secrets from the server's text: some servers repeat what they received. */
  readonly hide: (text: string) => string
  readonly now: () => number
}

/** Longer waits are cut: one answer must not take the client down for hours. */
const longestRetryAfterMs = 300_000

/** Turns whatever the exchange threw into a failure. */
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
    return new TokenRequestFailure(`the server answers ${response.status}`, { retryAfterMs })
  return new TokenRequestFailure(clip(hide(known.cause?.code ?? known.cause?.message ?? messageOf(error))), {
    retryAfterMs,
  })
}

/** Codes of RFC 6749 §4.1.2.1 that some servers use here too; they say that the server has a problem. */
const outageCodes: ReadonlySet<string> = new Set(['temporarily_unavailable', 'server_error'])

/** An error response (RFC 6749 §5.2) about the request, and not about the server's own state. */
function isRefusal(known: KnownError): known is KnownError & { error: string } {
  const { error, status = 500 } = known
  return typeof error === 'string' && !outageCodes.has(error) && status < 500 && status !== 429
}
