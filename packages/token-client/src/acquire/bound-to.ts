import type { TlsIdentity } from 'oauth-issuer-connection'
import type { TokenAnswer } from './ask-for-token.js'
import { unstatedLifetimeMs } from '../token.js'

/**
 * A token that was requested with a client certificate may be bound to it (RFC 8705 §3), so it is sent with the same
 * certificate, and of no use once that expires. Before then a renewal presents the certificate that has replaced it.
 */
export function boundTo(identity: TlsIdentity | undefined, answer: TokenAnswer): TokenAnswer {
  if (identity === undefined) return answer
  // The machine's time: servers compare the certificate with their own clocks.
  const left = (identity.expiresAt - Date.now()) / 1000
  const { expiresIn = unstatedLifetimeMs / 1000 } = answer
  // Whoever accepted an expired certificate once does so again.
  return { ...answer, identity, expiresIn: left > 0 ? Math.min(expiresIn, left) : expiresIn }
}
