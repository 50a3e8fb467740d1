import { Refusal } from '../errors.js'
import { andThen, type MaybePromise } from '../later.js'
import type { Outcome } from '../outcome.js'
import type { Revocations } from './revocations.js'

/** Verifies tokens, or returns the cached results of earlier verifications. */
interface VerifiesTokens<Presented> {
  remembered(header: string): Outcome | undefined
  verify(presented: Presented): MaybePromise<Outcome>
}

/**
 * Wraps a verifier so that revoked tokens are refused. Revoked tokens stay in the token cache, because a revocation can
 * end before the token expires.
 */
export function refuseRevoked<Presented>(
  verifier: VerifiesTokens<Presented>,
  revocations: Pick<Revocations, 'refusalOf'>,
): VerifiesTokens<Presented> {
  const check = (outcome: Outcome): Outcome =>
    outcome instanceof Refusal ? outcome : (revocations.refusalOf(outcome)?.of(outcome) ?? outcome)
  return {
    remembered(header) {
      const outcome = verifier.remembered(header)
      return outcome === undefined ? undefined : check(outcome)
    },
    verify: presented => andThen(verifier.verify(presented), check),
  }
}
