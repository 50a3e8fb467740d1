import { createHash } from 'node:crypto'
import { isB64token } from '../b64token.js'
import { Refusal, type RefusalReason } from '../errors.js'
import type { Outcome } from '../outcome.js'
import { askInTurn } from './ask-in-turn.js'
import { retryAfterMs, type Introspection } from './introspect-token.js'

/**
 * Verifies an opaque token. The refusal reason is `unavailable` if an issuer that may have issued the token does not
 * respond.
 */
export type IntrospectToken = (raw: string) => Promise<Outcome>

const maxTokenLength = 16_384

/**
 * The refusal reasons after which the next issuer is asked, because the token may have been issued by another issuer.
 */
const undecided: ReadonlySet<RefusalReason> = new Set(['inactive', 'issuer', 'unavailable'])

/**
 * Asks the issuers one after another until one reports the token as active, because an opaque token does not name its
 * issuer. Returns that issuer's result, even if the token's claims are refused.
 * @param timeoutMs the time limit for all issuers together, in milliseconds
 */
export function introspectAtAny(
  introspections: readonly Introspection[],
  timeoutMs: number,
): IntrospectToken {
  return async raw => {
    if (raw.length > maxTokenLength || !isB64token(raw))
      return new Refusal(
        'malformed',
        `the token is not a b64token (RFC 6750 §2.1) of at most ${maxTokenLength} characters`,
      )
    const hash = createHash('sha256').update(raw).digest('base64url')
    const ordered = inOrder(introspections, hash)
    const [first] = ordered
    // A single issuer is asked without a shared time limit, because each request already has its own limit.
    if (first !== undefined && ordered.length === 1) return first.ask(raw, hash)
    const questions = ordered.map(introspection => () => introspection.ask(raw, hash))
    const outcomes = await askInTurn(questions, outcome => !isUndecided(outcome), timeoutMs)
    const refusals = outcomes.filter(isUndecided)
    const decision = outcomes[refusals.length]
    return decision ?? (refusals.length < ordered.length ? tooLate(timeoutMs) : summaryOf(refusals))
  }
}

function isUndecided(outcome: Outcome): outcome is Refusal {
  return outcome instanceof Refusal && undecided.has(outcome.reason)
}

function tooLate(timeoutMs: number): Refusal {
  const detail = `introspection: an issuer did not respond within ${timeoutMs} ms`
  return new Refusal('unavailable', detail, { retryAfterMs })
}

/**
 * Sorts the issuers: those that previously reported the token as active come first, and those that do not respond come
 * last.
 */
function inOrder(introspections: readonly Introspection[], hash: string): readonly Introspection[] {
  const rank = (introspection: Introspection): number =>
    introspection.knows(hash) ? 0 : introspection.isFailing() ? 2 : 1
  return introspections
    .map(introspection => ({ introspection, rank: rank(introspection) }))
    .toSorted((one, other) => one.rank - other.rank)
    .map(({ introspection }) => introspection)
}

/**
 * Combines the refusals from all issuers. The reason `unavailable` takes precedence, because an unavailable issuer may
 * be the one that issued the token.
 */
function summaryOf(refusals: readonly Refusal[]): Refusal {
  const outage = refusals.find(({ reason }) => reason === 'unavailable')
  const misnamed = refusals.find(({ reason }) => reason === 'issuer')
  return outage ?? misnamed ?? new Refusal('inactive', 'no issuer reports the token as active')
}
