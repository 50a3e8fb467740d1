import type { AccessToken } from '../access-token.js'
import { Refusal, RevocationFailedError } from '../errors.js'
import type { Logger } from '../log.js'
import type { Verification } from '../verify/token-cache.js'
import { readRevocation, readTokens, type RevocationRules } from './read-revocation.js'
import { reportRevocation } from './report-revocations.js'
import { createRevocationList } from './revocation-list.js'
import type { RevokesTokens } from './revokes-tokens.js'

/** The option `revocation`, checked. */
export interface RevocationSettings {
  readonly maxEntries: number
}

/** What revocations work with besides their settings. */
export interface RevocationContext extends RevocationRules {
  readonly clockToleranceMs: number
  readonly log: Logger
}

/** Tokens that are refused although they have not expired. */
export interface Revocations extends RevokesTokens {
  /** The refusal of a token that is revoked. */
  refusalOf(token: AccessToken): Refusal | undefined
  /** Notes which key verified a token, for revocations by key. */
  noteKey(verification: Verification): void
  /** Number of revocations that have not ended. */
  count(): number
}

export function createRevocations(
  { maxEntries }: RevocationSettings,
  { log, ...context }: RevocationContext,
): Revocations {
  const keyIds = new WeakMap<AccessToken, string>()
  const list = createRevocationList({ ...context, maxEntries, keyIdOf: token => keyIds.get(token) })
  return {
    refusalOf(token) {
      const found = list.find(token)
      if (found === undefined) return undefined
      const { by, until, issuer } = found
      const detail = `revoked by its ${by} until ${new Date(until).toISOString()}`
      return new Refusal('revoked', detail, { issuer, kid: keyIds.get(token) })
    },
    noteKey({ outcome, validity }) {
      const keyId = validity?.signedBy?.key.kid
      if (keyId !== undefined && !(outcome instanceof Refusal)) keyIds.set(outcome, keyId)
    },
    async revoke(target, terms) {
      const revocation = readRevocation(target, terms, context)
      if (!list.add(revocation)) throw new RevocationFailedError(fullMessage(maxEntries), false)
      reportRevocation(revocation, false, log)
    },
    async unrevoke(target, terms) {
      const tokens = readTokens(target, terms, context)
      const revocation = list.get(tokens)
      list.delete(tokens)
      if (revocation === undefined || context.now() >= revocation.until) return false
      reportRevocation(revocation, true, log)
      return true
    },
    count: () => list.count(),
  }
}

function fullMessage(maxEntries: number): string {
  return `there are ${maxEntries} revocations (the option \`revocation.maxEntries\`), and none has ended; raise the limit, or revoke by clientId, subject or keyId`
}
