import type { TlsIdentity } from 'oauth-issuer-connection'
import type { TokenAnswer } from './ask-for-token.js'
import { unstatedLifetimeMs } from '../token.js'

/**
 * Adds the client certificate to a token that may be bound to it (RFC 8705 §3). The token's lifetime ends with the
 * certificate at the latest, and the token is only sent over connections with that certificate.
 */
export function boundTo(identity: TlsIdentity | undefined, answer: TokenAnswer): TokenAnswer {
  if (identity === undefined) return answer
  // Uses the system clock, because servers compare the certificate with their own clocks.
  const left = (identity.expiresAt - Date.now()) / 1000
  const { expiresIn = unstatedLifetimeMs / 1000 } = answer
  // A server that has accepted an expired certificate will accept it again.
  return { ...answer, identity, expiresIn: left > 0 ? Math.min(expiresIn, left) : expiresIn }
}
