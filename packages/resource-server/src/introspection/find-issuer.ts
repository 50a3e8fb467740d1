import { createHash } from 'node:crypto'
import { isB64token } from '../b64token.js'
import { Refusal, type RefusalReason } from '../errors.js'
import type { Outcome } from '../outcome.js'
import { askInTurn } from './ask-in-turn.js'
import { retryAfterMs, type Introspection } from './introspect-token.js'

/** Verifies a token that is not a JWT. The reason is `unavailable` when an issuer that may know it cannot be asked. */
export type IntrospectToken = (raw: string) => Promise<Outcome>

const maxTokenLength = 16_384

/** After these, another issuer may still say that the token is active. */
const undecided: ReadonlySet<RefusalReason> = new Set(['inactive', 'issuer', 'unavailable'])

/**
 * Asks one issuer after the other until one says that the token is active: an opaque token does not name its issuer. The
 * answer of that issuer decides, even if its claims are refused.
 * @param timeoutMs time limit for all issuers together, in milliseconds
 */
export function introspectAtAny(
  introspections: readonly Introspection[],
  timeoutMs: number,
): IntrospectToken {
  return async raw => {
    if (raw.length > maxTokenLength || !isB64token(raw))
      return new Refusal('malformed', `the token is not a b64token of at most ${maxTokenLength} characters`)
    const hash = createHash('sha256').update(raw).digest('base64url')
    const ordered = inOrder(introspections, hash)
    const [first] = ordered
    // A request to a single issuer has a time limit of its own.
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
  const detail = `introspection: an issuer did not answer within ${timeoutMs} ms`
  return new Refusal('unavailable', detail, { retryAfterMs })
}

/** First the issuer that said earlier that the token is active; last those that do not answer. Otherwise as configured. */
function inOrder(introspections: readonly Introspection[], hash: string): readonly Introspection[] {
  const rank = (introspection: Introspection): number =>
    introspection.knows(hash) ? 0 : introspection.isFailing() ? 2 : 1
  return introspections
    .map(introspection => ({ introspection, rank: rank(introspection) }))
    .toSorted((one, other) => one.rank - other.rank)
    .map(({ introspection }) => introspection)
}

/** The token may belong to an issuer that did not answer, so an outage comes before what the others said. */
function summaryOf(refusals: readonly Refusal[]): Refusal {
  const outage = refusals.find(({ reason }) => reason === 'unavailable')
  const misnamed = refusals.find(({ reason }) => reason === 'issuer')
  return outage ?? misnamed ?? new Refusal('inactive', 'none of the issuers says that the token is active')
}
