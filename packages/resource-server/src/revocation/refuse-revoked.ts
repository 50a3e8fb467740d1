import { Refusal } from '../errors.js'
import { andThen, type MaybePromise } from '../later.js'
import type { Outcome } from '../outcome.js'
import type { Revocations } from './revocations.js'

/** Where tokens come from: the cache, or verification. */
interface VerifiesTokens<Presented> {
  remembered(header: string): Outcome | undefined
  verify(presented: Presented): MaybePromise<Outcome>
}

/** The same, except that revoked tokens are refused. They stay in the cache, for when the revocation ends. */
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
