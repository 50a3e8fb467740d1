import { decodeProtectedHeader } from 'jose/decode/protected_header'
import { jwtVerify } from 'jose/jwt/verify'
import { show } from 'declared-options'
import { isSameAlgorithm } from '../issue/ed25519-names.js'
import type { Claims } from '../issue/profile.js'
import type { SigningKeys } from '../issue/signing-keys.js'
import { wrong } from '../read-options.js'

/** Tells whether a token of this issuer is still valid. */
export interface OwnTokens {
  /**
   * The claims of an access token of this issuer that is valid now.
   * @throws {Error} saying why it is not valid
   */
  read(token: string): Promise<Claims>
  /** Makes a token inactive (RFC 7662 §2.2). */
  revoke(token: string): void
}

export function createOwnTokens(issuer: string, keys: SigningKeys, now: () => number): OwnTokens {
  const revoked = new Set<string>()
  return {
    async read(token) {
      if (revoked.has(token)) throw new Error('it was revoked')
      const { kid, alg } = decodeProtectedHeader(token)
      const key = keys.published.find(published => published.kid === kid)
      if (key === undefined || !isSameAlgorithm(key.algorithm, alg))
        throw new Error('its kid and alg are not those of a published key of this issuer')
      const { payload } = await jwtVerify(token, key.publicKey, {
        issuer,
        requiredClaims: ['exp'],
        currentDate: new Date(now()),
      })
      return payload
    },
    revoke(token) {
      if (typeof token !== 'string') throw wrong('revoke()', `the token is ${show(token)}; expected text`)
      revoked.add(token)
    },
  }
}
