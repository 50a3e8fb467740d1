/** A request to the issuer, with or without a socket. Header names are in lower case, and repeated headers are joined with commas. */
export interface IssuerRequest {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: string
  /** A signal that is aborted if the sender of the request cancels it. */
  readonly signal: AbortSignal
}

export interface IssuerResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** The maximum size of a request body, in bytes. */
export const maxBodyBytes = 65_536

export function json(status: number, body: unknown, headers: Record<string, string> = {}): IssuerResponse {
  return {
    status,
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  }
}

/** Responses from the token endpoint must not be cached (RFC 6749 §5.1). */
export const noStore: Record<string, string> = { 'cache-control': 'no-store', pragma: 'no-cache' }

export function bodyTooLarge(): IssuerResponse {
  return json(
    413,
    { error: 'invalid_request', error_description: `the request body exceeds ${maxBodyBytes} bytes` },
    noStore,
  )
}
