import { createHash } from 'node:crypto'
import { isB64token } from '../b64token.js'
import { Refusal, type RefusalReason } from '../errors.js'
import type { Outcome } from '../outcome.js'
import type { Introspection } from './introspect-token.js'

/** Verifies a token that is not a JWT. The reason is `unavailable` when an issuer that may know it cannot be asked. */
export type IntrospectToken = (raw: string) => Promise<Outcome>

const maxTokenLength = 16_384

/** After these, another issuer may still say that the token is active. */
const undecided: ReadonlySet<RefusalReason> = new Set(['inactive', 'issuer', 'unavailable'])

/**
 * Asks one issuer after the other until one says that the token is active: an opaque token does not name its issuer. The
 * answer of that issuer decides, also if its claims are refused.
 */
export function introspectAtAny(introspections: readonly Introspection[]): IntrospectToken {
  return async raw => {
    if (raw.length > maxTokenLength || !isB64token(raw))
      return new Refusal('malformed', `the token is not a b64token of at most ${maxTokenLength} characters`)
    const hash = createHash('sha256').update(raw).digest('base64url')
    const refusals: Refusal[] = []
    for (const introspection of inOrder(introspections, hash)) {
      const outcome = await introspection.ask(raw, hash)
      if (!(outcome instanceof Refusal) || !undecided.has(outcome.reason)) return outcome
      refusals.push(outcome)
    }
    return summaryOf(refusals)
  }
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
  const [only, another] = refusals
  return (
    outage ??
    misnamed ??
    (another === undefined ? only : undefined) ??
    new Refusal('inactive', 'none of the issuers says that the token is active')
  )
}
