import type { TlsIdentity } from 'oauth-issuer-connection'
import type { TokenRequestFailure } from './token-request-failure.js'

/** A token response (RFC 6749 §5.1). */
export interface TokenAnswer {
  readonly accessToken: string
  /** The time of the token request, in milliseconds since the epoch. The token's lifetime counts from this time. */
  readonly requestedAt: number
  /** The token's lifetime in seconds, if the response contains one. */
  readonly expiresIn: number | undefined
  readonly scope: string | undefined
  /**
   * The client certificate that the token may be bound to (RFC 8705 §3); undefined if the certificate never changes.
   */
  readonly identity?: TlsIdentity | undefined
}

/** Checks the syntax of RFC 6749 App. A.12 (`1*VSCHAR`). Access tokens are otherwise opaque to the client. */
export function isAccessToken(text: string): boolean {
  return /^[\x20-\x7E]+$/.test(text)
}

/**
 * Requests a token. Functions of this type wrap each other, and return failures instead of throwing.
 * @param unwanted the cached or refused token, which must not be returned again if a different token is available
 */
export type AskForToken = (unwanted: string | undefined) => Promise<TokenAnswer | TokenRequestFailure>
