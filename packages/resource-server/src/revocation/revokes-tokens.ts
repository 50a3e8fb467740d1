import { InvalidRevocationError } from '../errors.js'
import type { RevocationTarget, RevocationTerms } from './revocation.js'

/** Revokes tokens before they expire. Requires the option `revocation`. */
export interface RevokesTokens {
  /**
   * Refuses tokens from now on with the reason `revoked`, even if they are in the token cache. Replaces an earlier
   * revocation of the same tokens.
   * @param target the tokens to revoke, such as `{ jti }` or `{ clientId }`
   * @param terms when the revocation ends, and the issuer of the tokens
   * @returns a promise that resolves once the revocation has been stored and is in effect in this process. On other
   * replicas, the revocation takes effect within a second
   * @throws {InvalidRevocationError} if an argument is invalid, or if the option `revocation` is not set
   * @throws {RevocationFailedError} if the store fails, or if there are already `maxEntries` revocations. The error's
   * `isInEffectHere` property indicates whether the revocation is nevertheless in effect in this process
   */
  revoke(target: RevocationTarget, terms: RevocationTerms): Promise<void>
  /**
   * Undoes a revocation. Resolves with true, or with false if no such revocation is in effect.
   * @throws the same errors as `revoke`
   */
  unrevoke(target: RevocationTarget, terms?: Pick<RevocationTerms, 'issuer'>): Promise<boolean>
}

/** @param revocations the revocations, or undefined if the option `revocation` is not set */
export function revokesTokens(revocations: RevokesTokens = withoutOption): RevokesTokens {
  return {
    revoke: (target, terms) => revocations.revoke(target, terms),
    unrevoke: (target, terms) => revocations.unrevoke(target, terms),
  }
}

const withoutOption: RevokesTokens = { revoke: refuse, unrevoke: refuse }

async function refuse(): Promise<never> {
  throw new InvalidRevocationError('the option `revocation` is not set; set `revocation: true`')
}
