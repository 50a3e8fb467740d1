import type { TlsIdentity } from 'oauth-issuer-connection'
import type { TokenRequestFailure } from './token-request-failure.js'

/** A token that was received. */
export interface TokenAnswer {
  readonly accessToken: string
  /** When the request was sent, in milliseconds since the epoch: the token's lifetime counts from then. */
  readonly requestedAt: number
  /** The token's lifetime in seconds, if the server states it. */
  readonly expiresIn: number | undefined
  readonly scope: string | undefined
  /** The client certificate that the token may be bound to (RFC 8705 §3), if certificates are replaced at run time. */
  readonly identity?: TlsIdentity | undefined
}

/** RFC 6749 App. A.12: 1*VSCHAR. Nothing else is known about tokens, which are opaque to the client. */
export function isAccessToken(text: string): boolean {
  return /^[\x20-\x7E]+$/.test(text)
}

/**
 * Asks for a token: the type that acquisition is built on. Features wrap one such function in another. A failure is a
 * value, so none of them throws.
 * @param unwanted the cached or refused token, which must not be returned again if there is a different one
 */
export type AskForToken = (unwanted: string | undefined) => Promise<TokenAnswer | TokenRequestFailure>
