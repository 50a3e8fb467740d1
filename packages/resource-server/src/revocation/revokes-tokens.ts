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
   * @returns when this process acts on it and the store, if there is one, has it: then every replica does within a second
   * @throws {RevocationFailedError} if the store failed, or there are as many revocations as `maxEntries` allows;
   * `isInEffectHere` says whether this process refuses the tokens all the same
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
