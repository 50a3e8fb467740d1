import type { TlsIdentity } from 'oauth-issuer-connection'
import type { TokenRequestFailure } from './token-request-failure.js'

/** A token response (RFC 6749 §5.1). */
export interface TokenAnswer {
  readonly accessToken: string
  /** The time of the token request, in milliseconds since the epoch. The token's lifetime is counted from this time. */
  readonly requestedAt: number
  /** The token's lifetime in seconds, if the response contains one. */
  readonly expiresIn: number | undefined
  readonly scope: string | undefined
  /**
   * The client certificate that the token may be bound to (RFC 8705 §3). Undefined if the client has no certificate or
   * always uses the same one.
   */
  readonly identity?: TlsIdentity | undefined
}

/** Returns true if a text has the syntax of an access token (RFC 6749 Appendix A.12). */
export function isAccessToken(text: string): boolean {
  return /^[\x20-\x7E]+$/.test(text)
}

/**
 * Requests a token. Failures are returned, not thrown.
 * @param unwanted the access token to replace. If the token store still contains this token, the stored token is
 * ignored
 */
export type AskForToken = (unwanted: string | undefined) => Promise<TokenAnswer | TokenRequestFailure>
