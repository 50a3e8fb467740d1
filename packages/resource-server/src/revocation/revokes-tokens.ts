import { InvalidRevocationError } from '../errors.js'
import type { RevocationTarget, RevocationTerms } from './revocation.js'

/** Refuses tokens before they expire. Needs the option `revocation`. */
export interface RevokesTokens {
  /**
   * Refuses tokens from now on, cached ones included, with the reason `revoked`. Replaces an earlier revocation of the same
   * tokens.
   * @param target which tokens, such as `{ jti }` or `{ clientId }`
   * @param terms until when, and of which issuer
   * @throws {InvalidRevocationError} for wrong arguments, or without the option
   * @throws {RevocationFailedError} if there are as many revocations as `maxEntries` allows
   */
  revoke(target: RevocationTarget, terms: RevocationTerms): Promise<void>
  /**
   * Undoes `revoke`. Resolves with whether there was such a revocation.
   * @throws as `revoke`
   */
  unrevoke(target: RevocationTarget, terms?: Pick<RevocationTerms, 'issuer'>): Promise<boolean>
}

/** @param revocations undefined: the option is not set */
export function revokesTokens(revocations: RevokesTokens = withoutOption): RevokesTokens {
  return {
    revoke: (target, terms) => revocations.revoke(target, terms),
    unrevoke: (target, terms) => revocations.unrevoke(target, terms),
  }
}

const withoutOption: RevokesTokens = { revoke: refuse, unrevoke: refuse }

async function refuse(): Promise<never> {
  throw new InvalidRevocationError('the option `revocation` is not set; give `revocation: true`')
}
