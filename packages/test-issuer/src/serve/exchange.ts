/** A request to the issuer, over a socket or not. Header names are in lower case; repeated headers are joined by commas. */
export interface IssuerRequest {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: string
  /** Aborted when the caller has given up. */
  readonly signal: AbortSignal
}

export interface IssuerResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** Maximum size of a request body, in bytes. */
export const maxBodyBytes = 65_536

export function json(status: number, body: unknown, headers: Record<string, string> = {}): IssuerResponse {
  return {
    status,
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  }
}

/** RFC 6749 §5.1: responses of the token endpoint must not be cached. */
export const noStore: Record<string, string> = { 'cache-control': 'no-store', pragma: 'no-cache' }

export function bodyTooLarge(): IssuerResponse {
  return json(
    413,
    { error: 'invalid_request', error_description: `the request body exceeds ${maxBodyBytes} bytes` },
    noStore,
  )
}
