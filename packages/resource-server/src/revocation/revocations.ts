import type { AccessToken } from '../access-token.js'
import { InvalidOptionError, Refusal, RevocationFailedError } from '../errors.js'
import type { Logger } from '../log.js'
import type { RevocationStats } from '../stats.js'
import { readRevocation, readTokens, type RevocationRules } from './read-revocation.js'
import { reportRevocation } from './report-revocations.js'
import { createRevocationList } from './revocation-list.js'
import type { RevokesTokens } from './revokes-tokens.js'
import { shareRevocations, type SharingSettings } from './share-revocations.js'

/** The validated option `revocation`. */
export interface RevocationSettings {
  readonly maxEntries: number
  /** The settings of the shared store. If undefined, revocations apply to this process only. */
  readonly sharing: SharingSettings | undefined
}

/** The dependencies of revocations. */
export interface RevocationContext extends RevocationRules {
  readonly clockToleranceMs: number
  readonly log: Logger
}

/** The revocations known to this process, including those from other processes if a store is configured. */
export interface Revocations extends RevokesTokens {
  /**
   * Returns a refusal if the token is revoked, or if the shared store is unavailable and `whileUnavailable` is
   * `'refuse'`.
   */
  refusalOf(token: AccessToken): Refusal | undefined
  /** Records the id of the key that verified a token, so that tokens can be revoked by key. */
  noteKey(token: AccessToken, keyId: string): void
  /**
   * Verifies the store and reads it for the first time.
   * @throws {InvalidOptionError} if the store does not work
   */
  start(): Promise<void>
  close(): void
  state(): RevocationStats
}

const unavailable = new Refusal(
  'unavailable',
  'the revocation store is unavailable, so the token may have been revoked',
  { retryAfterMs: 1_000 },
)

export function createRevocations(
  { maxEntries, sharing }: RevocationSettings,
  context: RevocationContext,
): Revocations {
  const { log, now } = context
  const keyIds = new WeakMap<AccessToken, string>()
  const list = createRevocationList({ ...context, keyIdOf: token => keyIds.get(token) })
  const shared = sharing === undefined ? undefined : shareRevocations(sharing, list, context)
  const refusesUnknown = sharing?.whileUnavailable === 'refuse'
  return {
    refusalOf(token) {
      const found = list.find(token)
      if (found === undefined)
        return refusesUnknown && shared?.isCurrent() === false ? unavailable : undefined
      const { by, until, issuer } = found
      const detail = `the token was revoked: its ${by} is on the revocation list until ${new Date(until).toISOString()}`
      return new Refusal('revoked', detail, { issuer, kid: keyIds.get(token) })
    },
    noteKey(token, keyId) {
      keyIds.set(token, keyId)
    },
    async revoke(target, terms) {
      const revocation = readRevocation(target, terms, context)
      if (!list.add(revocation, maxEntries)) throw new RevocationFailedError(fullMessage(maxEntries), false)
      reportRevocation(revocation, false, log)
      await shared?.save(revocation)
    },
    async unrevoke(target, terms) {
      const revocation = list.get(readTokens(target, terms, context))
      if (revocation === undefined || now() >= revocation.until) {
        if (shared?.isCurrent() === false)
          throw new RevocationFailedError(
            'the revocation store is unavailable; call unrevoke again later',
            false,
          )
        return false
      }
      await shared?.withdraw(revocation)
      list.delete(revocation)
      reportRevocation(revocation, true, log)
      return true
    },
    async start() {
      const reason = await shared?.start()
      if (reason !== undefined)
        throw new InvalidOptionError(`option \`revocation.store\` cannot be used: ${reason}`)
    },
    close: () => shared?.close(),
    state: () => ({ active: [...list.all()].length, isCurrent: shared?.isCurrent() ?? true }),
  }
}

function fullMessage(maxEntries: number): string {
  return `there are already ${maxEntries} active revocations (option revocation.maxEntries); raise the limit, or revoke by clientId, subject or keyId`
}
