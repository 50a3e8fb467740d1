import type { AccessToken } from '../access-token.js'
import { InvalidOptionError, Refusal, RevocationFailedError } from '../errors.js'
import type { Logger } from '../log.js'
import type { RevocationStats } from '../stats.js'
import { readRevocation, readTokens, type RevocationRules } from './read-revocation.js'
import { reportRevocation } from './report-revocations.js'
import { createRevocationList } from './revocation-list.js'
import type { RevokesTokens } from './revokes-tokens.js'
import { shareRevocations, type SharingSettings } from './share-revocations.js'

/** The option `revocation`, checked. */
export interface RevocationSettings {
  readonly maxEntries: number
  /** Undefined: revocations are known to this process only. */
  readonly sharing: SharingSettings | undefined
}

/** What revocations work with besides their settings. */
export interface RevocationContext extends RevocationRules {
  readonly clockToleranceMs: number
  readonly log: Logger
}

/** Tokens that are refused although they have not expired. */
export interface Revocations extends RevokesTokens {
  /** The refusal of a token that is revoked, or may be. */
  refusalOf(token: AccessToken): Refusal | undefined
  /** Notes which key verified a token, for revocations by key. */
  noteKey(token: AccessToken, keyId: string): void
  /** Reads the store for the first time. @throws {InvalidOptionError} if it cannot work */
  start(): Promise<void>
  close(): void
  state(): RevocationStats
}

const unavailable = new Refusal(
  'unavailable',
  'the revocation store cannot be used, so whether the token is revoked is unknown',
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
      const detail = `revoked by its ${by} until ${new Date(until).toISOString()}`
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
          throw new RevocationFailedError('the store cannot be used; call unrevoke again', false)
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
  return `there are ${maxEntries} revocations (the option \`revocation.maxEntries\`), and none has ended; raise the limit, or revoke by clientId, subject or keyId`
}
