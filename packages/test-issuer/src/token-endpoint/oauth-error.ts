import { json, noStore, type IssuerResponse } from '../serve/exchange.js'

/** The error codes of the token endpoint (RFC 6749 §5.2, RFC 8707 §2, RFC 9449 §5). */
export type OAuthErrorCode =
  | 'invalid_request'
  | 'invalid_client'
  | 'invalid_grant'
  | 'unauthorized_client'
  | 'unsupported_grant_type'
  | 'invalid_scope'
  | 'invalid_target'
  | 'invalid_dpop_proof'

/** An error response from the token endpoint. The description explains the problem and contains no secrets. */
export class OAuthError extends Error {
  readonly code: OAuthErrorCode
  readonly headers: Record<string, string>

  constructor(code: OAuthErrorCode, description: string, headers: Record<string, string> = {}) {
    super(description)
    this.code = code
    this.headers = headers
  }

  toResponse(): IssuerResponse {
    const status = this.code === 'invalid_client' ? 401 : 400
    return json(
      status,
      { error: this.code, error_description: descriptionText(this.message) },
      { ...noStore, ...this.headers },
    )
  }
}

/**
 * Replaces characters that RFC 6749 §5.2 forbids: quotation marks, backslashes, and all characters outside printable
 * ASCII. Error descriptions quote parts of the request, and these parts may contain such characters.
 */
function descriptionText(message: string): string {
  return message.replaceAll('"', "'").replaceAll(/[^\x20\x21\x23-\x5B\x5D-\x7E]/g, '?')
}
