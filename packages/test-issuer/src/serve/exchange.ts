/** A request to the issuer, whatever brought it. Header names in lower case. */
export interface IssuerRequest {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: string
}

export interface IssuerResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** Largest body that is read, in bytes. */
export const maxBodyBytes = 65_536

export function json(status: number, body: unknown, headers: Record<string, string> = {}): IssuerResponse {
  return {
    status,
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  }
}

/** RFC 6749 §5.1: nothing of the token endpoint may be kept. */
export const noStore: Record<string, string> = { 'cache-control': 'no-store', pragma: 'no-cache' }
