import type { TlsIdentity } from 'oauth-issuer-connection'
import type { TokenAnswer } from './ask-for-token.js'
import { unstatedLifetimeMs } from '../token.js'

/**
 * Records the client certificate that a token may be bound to (RFC 8705 §3). The token expires no later than the
 * certificate, and is sent only over connections that present this certificate.
 */
export function boundTo(identity: TlsIdentity | undefined, answer: TokenAnswer): TokenAnswer {
  if (identity === undefined) return answer
  // The certificate's expiry is compared with the system clock, because servers check certificates against their own clocks.
  const left = (identity.expiresAt - Date.now()) / 1000
  const { expiresIn = unstatedLifetimeMs / 1000 } = answer
  // If the certificate has expired but the server still accepted it, it does not limit the token's lifetime.
  return { ...answer, identity, expiresIn: left > 0 ? Math.min(expiresIn, left) : expiresIn }
}
