import { decodeProtectedHeader } from 'jose/decode/protected_header'
import { jwtVerify } from 'jose/jwt/verify'
import { show } from 'declared-options'
import { isSameAlgorithm } from '../issue/ed25519-names.js'
import type { Claims } from '../issue/profile.js'
import type { SigningKeys } from '../issue/signing-keys.js'
import { wrong } from '../read-options.js'

/** Validates and revokes tokens from this issuer. */
export interface OwnTokens {
  /**
   * Returns the claims of a valid access token from this issuer.
   * @throws {Error} if the token is invalid. The message contains the reason
   */
  read(token: string): Promise<Claims>
  /** Makes a token inactive (RFC 7662 §2.2). */
  revoke(token: string): void
}

export function createOwnTokens(issuer: string, keys: SigningKeys, now: () => number): OwnTokens {
  const revoked = new Set<string>()
  return {
    async read(token) {
      if (revoked.has(token)) throw new Error('the token was revoked')
      const { kid, alg } = decodeProtectedHeader(token)
      const key = keys.published.find(published => published.kid === kid)
      if (key === undefined || !isSameAlgorithm(key.algorithm, alg))
        throw new Error('the kid and alg of the token do not match any published key of this issuer')
      const { payload } = await jwtVerify(token, key.publicKey, {
        issuer,
        requiredClaims: ['exp'],
        currentDate: new Date(now()),
      })
      return payload
    },
    revoke(token) {
      if (typeof token !== 'string') throw wrong('revoke()', `the token is ${show(token)}; expected a string`)
      revoked.add(token)
    },
  }
}
