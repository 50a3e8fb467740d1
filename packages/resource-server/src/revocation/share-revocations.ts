import { messageOf } from 'oauth-issuer-connection'
import { RevocationFailedError } from '../errors.js'
import { askStore } from './ask-store.js'
import { followStore, verification, type FollowedStore } from './follow-store.js'
import type { RevocationContext } from './revocations.js'
import { reportRevocation, reportStore, reportUnreadable } from './report-revocations.js'
import type { RevocationList } from './revocation-list.js'
import type { RevocationPage, RevocationStore } from './revocation-store.js'
import type { Revocation } from './revocation.js'
import { idOf, isUndone, readStored, writeStored, writeUndone } from './stored-revocation.js'

/** The settings of a revocation store that several processes share. */
export interface SharingSettings {
  readonly store: RevocationStore
  /** Whether tokens are accepted or refused while the store is unavailable. */
  readonly whileUnavailable: 'accept' | 'refuse'
  readonly maxEntries: number
}

/** The revocations of several processes that share a store. */
export interface SharedRevocations extends FollowedStore {
  /**
   * Stores a revocation that is already in effect in this process.
   * @throws {RevocationFailedError} if the store fails
   */
  save(revocation: Revocation): Promise<void>
  /**
   * Records in the store that a revocation was undone.
   * @throws {RevocationFailedError} if the store fails
   */
  withdraw(revocation: Revocation): Promise<void>
}

const putTimeoutMs = 1_000

export function shareRevocations(
  { store, whileUnavailable, maxEntries }: SharingSettings,
  list: RevocationList,
  { now, isTrusted, clockToleranceMs, log }: RevocationContext,
): SharedRevocations {
  /**
   * The revocations created in this process that may not be in the store yet. They override stored revocations of the
   * same tokens.
   */
  const unstored = new Map<string, Revocation>()
  /** The revocations that were in the store before it lost its data. */
  const lost = new Map<string, Revocation>()
  let isPutting = false
  /**
   * Whether the store is being read from the beginning. Revocations found during such a read are not new, so they are
   * not reported.
   */
  let isStarting = false

  async function put(revocation: Revocation, value: string = writeStored(revocation)): Promise<void> {
    const ttlMs = Math.max(1, revocation.until - now()) + clockToleranceMs
    await askStore(putTimeoutMs, async () => store.put(idOf(revocation), value, ttlMs))
  }

  async function putAll(missing: Map<string, Revocation>): Promise<void> {
    for (const [id, revocation] of missing) {
      if (list.get(revocation) === revocation && now() < revocation.until) await put(revocation)
      if (missing.get(id) === revocation) missing.delete(id)
    }
  }

  /**
   * Stores the revocations that are missing from the store, in the background, so that reading the store is not
   * delayed. If storing them fails, the plugin tries again after the next read.
   */
  async function putBack(): Promise<void> {
    if (isPutting) return
    isPutting = true
    try {
      await putAll(unstored)
      await putAll(lost)
    } catch {
      // The error is ignored, because a later read reports that the store is unavailable.
    }
    isPutting = false
  }

  function takeValue(text: string, isNews: boolean): void {
    if (text.startsWith(verification)) return
    const stored = readStored(text, now())
    if (stored === undefined) return reportUnreadable(log)
    const id = idOf(stored)
    if (unstored.has(id) || !isTrusted(stored.issuer)) return
    lost.delete(id)
    const known = list.get(stored)
    if (isUndone(stored)) {
      list.delete(stored)
      if (known !== undefined && isNews) reportRevocation(known, true, log)
      return
    }
    // Up to twice `maxEntries` revocations are accepted from the store, because processes that revoke tokens at the same time can together exceed `maxEntries`, and no revocation may be lost.
    if (!list.add(stored, 2 * maxEntries))
      throw new Error(
        `the store contains more than ${2 * maxEntries} revocations (twice revocation.maxEntries)`,
      )
    if (isNews && !isSame(known, stored)) reportRevocation(stored, false, log)
  }

  function take({ values, fromStart, hasMore }: RevocationPage): void {
    if (fromStart) for (const revocation of list.all()) lost.set(idOf(revocation), revocation)
    isStarting ||= fromStart
    for (const value of values) takeValue(value, !isStarting)
    isStarting &&= hasMore
    if (!hasMore && unstored.size + lost.size > 0) void putBack()
  }

  const followed = followStore(store, {
    take,
    onUnavailable: reason => reportStore({ reason, whileUnavailable }, log),
    onAvailable: () => reportStore(undefined, log),
  })

  return {
    ...followed,
    async save(revocation) {
      const id = idOf(revocation)
      unstored.set(id, revocation)
      try {
        await put(revocation)
        if (unstored.get(id) === revocation) unstored.delete(id)
      } catch (error) {
        throw new RevocationFailedError(
          `the revocation store failed (${messageOf(error)}). This process refuses the tokens and keeps trying to store the revocation. Until then, other processes may accept the tokens`,
          true,
        )
      }
    },
    async withdraw(revocation) {
      try {
        await put(revocation, writeUndone(revocation))
        unstored.delete(idOf(revocation))
      } catch (error) {
        throw new RevocationFailedError(
          `the revocation store failed (${messageOf(error)}). The revocation is still in effect; call unrevoke again later`,
          false,
        )
      }
    },
  }
}

function isSame(one: Revocation | undefined, other: Revocation): boolean {
  return one?.until === other.until && one.issuedBefore === other.issuedBefore
}
