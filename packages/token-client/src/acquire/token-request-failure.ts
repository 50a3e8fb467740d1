import { readRetryAfter } from '../retry-after.js'

/** Why there is no token. `permanent`: the server said so by RFC 6749 §5.2; asking again changes nothing. */
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
}

/** What errors of oauth4webapi and of undici have, as far as it holds no secret: their causes can hold the whole answer. */
interface KnownError {
  readonly error?: unknown
  readonly error_description?: unknown
  readonly status?: number
  readonly name?: string
  readonly message?: string
  readonly cause?: { readonly message?: string; readonly code?: string }
}

/** What is known of an exchange that failed. */
interface Circumstances {
  /** The server's answer, where there was one. */
  readonly response: Response | undefined
  /** Takes secrets out of what the server says: some repeat what they were sent. */
  readonly hide: (text: string) => string
  readonly now: () => number
}

/** A server that asks for more is asked again all the same: nobody wants to be down for what one answer said. */
const longestRetryAfterMs = 300_000

/** Reads an error of the exchange. */
export function failureFrom(error: unknown, { response, hide, now }: Circumstances): TokenRequestFailure {
  if (error instanceof TokenRequestFailure) return error
  const known = error as KnownError
  if (isRefusal(known)) {
    const description =
      typeof known.error_description === 'string' ? clip(hide(known.error_description)) : undefined
    return new TokenRequestFailure(clip(hide(known.error)), { permanent: true, description })
  }
  const retryAfterMs = readRetryAfter(response?.headers.get('retry-after'), now(), longestRetryAfterMs)
  if (response !== undefined && !response.ok)
    return new TokenRequestFailure(`the server answers ${response.status}`, { retryAfterMs })
  if (known.name === 'TimeoutError') return new TokenRequestFailure('the server does not answer in time')
  return new TokenRequestFailure(
    clip(hide(known.cause?.code ?? known.cause?.message ?? known.message ?? 'unknown')),
    { retryAfterMs },
  )
}

/** Codes of RFC 6749 §4.1.2.1 that some servers use here too: it is they who are in trouble. */
const troubles: ReadonlySet<string> = new Set(['temporarily_unavailable', 'server_error'])

/** The server's own word (RFC 6749 §5.2), and not that it is busy: anything else may be better next time. */
function isRefusal(known: KnownError): known is KnownError & { error: string } {
  const { error, status = 500 } = known
  return typeof error === 'string' && !troubles.has(error) && status < 500 && status !== 429
}

/** What a server wrote, short enough for a log line and without line breaks. */
export function clip(text: string): string {
  return text.replaceAll(/[^\x20-\x7E\u00A0-\uFFFF]/g, ' ').slice(0, 200)
}
