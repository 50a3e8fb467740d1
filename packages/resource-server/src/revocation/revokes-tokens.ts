import { InvalidRevocationError } from '../errors.js'
import type { RevocationTarget, RevocationTerms } from './revocation.js'

/** Refuses tokens before they expire. Requires the option `revocation`. */
export interface RevokesTokens {
  /**
   * Refuses tokens from now on, including cached ones, with the reason `revoked`. Replaces an earlier revocation with
   * the same target.
   * @param target the tokens to refuse, such as `{ jti }` or `{ clientId }`
   * @param terms the end of the revocation, and the issuer of the tokens
   * @returns a promise that resolves when this process refuses the tokens and the store has the revocation; other
   * replicas follow within a second
   * @throws {InvalidRevocationError} for invalid arguments, or without the option `revocation`
   * @throws {RevocationFailedError} if the store failed, or there are `maxEntries` revocations; `isInEffectHere` says
   * whether this process refuses the tokens nevertheless
   */
  revoke(target: RevocationTarget, terms: RevocationTerms): Promise<void>
  /**
   * Undoes `revoke`. Resolves with false if there is no such revocation.
   * @throws the errors of `revoke`
   */
  unrevoke(target: RevocationTarget, terms?: Pick<RevocationTerms, 'issuer'>): Promise<boolean>
}

/** @param revocations undefined without the option `revocation` */
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
