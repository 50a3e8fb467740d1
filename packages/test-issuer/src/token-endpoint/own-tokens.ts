import { decodeProtectedHeader } from 'jose/decode/protected_header'
import { jwtVerify } from 'jose/jwt/verify'
import type { Claims } from '../issue/profiles.js'
import type { SigningKeys } from '../issue/signing-keys.js'

/** What tells whether a token of this issuer is still good. */
export interface OwnTokens {
  /**
   * The claims of an access token of this issuer that is valid now.
   * @throws {Error} saying why it isn't
   */
  read(token: string): Promise<Claims>
  /** From now on the token is inactive (RFC 7662 §2.2). */
  revoke(token: string): void
}

export function createOwnTokens(issuer: string, keys: SigningKeys, now: () => number): OwnTokens {
  const revoked = new Set<string>()
  return {
    async read(token) {
      if (revoked.has(token)) throw new Error('it is revoked')
      const { kid, alg } = decodeProtectedHeader(token)
      const key = keys.published.find(published => published.kid === kid)
      if (key === undefined || key.algorithm !== alg) throw new Error('no key of this issuer signed it')
      const { payload } = await jwtVerify(token, key.publicKey, {
        issuer,
        requiredClaims: ['exp'],
        currentDate: new Date(now()),
      })
      return payload
    },
    revoke(token) {
      revoked.add(token)
    },
  }
}
