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

/** The option `revocation.store`, with what applies while it is away. */
export interface SharingSettings {
  readonly store: RevocationStore
  /** Whether tokens are accepted or refused while revocations by other processes may be unknown. */
  readonly whileUnavailable: 'accept' | 'refuse'
  readonly maxEntries: number
}

/** Revocations of this process and others, which share a store. */
export interface SharedRevocations extends FollowedStore {
  /** Stores a revocation that this process acts on already. @throws {RevocationFailedError} */
  save(revocation: Revocation): Promise<void>
  /** Stores that a revocation is undone. @throws {RevocationFailedError} */
  withdraw(revocation: Revocation): Promise<void>
}

const putTimeoutMs = 1_000

export function shareRevocations(
  { store, whileUnavailable, maxEntries }: SharingSettings,
  list: RevocationList,
  { now, isTrusted, clockToleranceMs, log }: RevocationContext,
): SharedRevocations {
  /** Revocations by this process that the store may not have yet. What the store has of the same tokens is older. */
  const unstored = new Map<string, Revocation>()
  /** Revocations that the store had before it lost its values. */
  const lost = new Map<string, Revocation>()
  let isPutting = false
  /** From the first page of all values to the last one: nothing in them is news. */
  let isStarting = false

  async function put(revocation: Revocation, value: string = writeStored(revocation)): Promise<void> {
    const ttlMs = Math.max(1, revocation.until - now()) + clockToleranceMs
    await askStore(putTimeoutMs, async () => store.put(idOf(revocation), value, ttlMs))
  }

  async function putAll(missing: Map<string, Revocation>): Promise<void> {
    for (const [id, revocation] of missing) {
      // Unless it has been undone or replaced since.
      if (list.get(revocation) === revocation && now() < revocation.until) await put(revocation)
      if (missing.get(id) === revocation) missing.delete(id)
    }
  }

  /** Behind the reads, which must not wait for it. What fails is tried again after the next read. */
  async function putBack(): Promise<void> {
    if (isPutting) return
    isPutting = true
    try {
      await putAll(unstored)
      await putAll(lost)
    } catch {
      // The store is away again, which reading it reports.
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
    // Processes may pass `maxEntries` at the same time by a few; none of them may lose what another one revoked.
    if (!list.add(stored, 2 * maxEntries))
      throw new Error(`it has more than ${2 * maxEntries} revocations (twice \`revocation.maxEntries\`)`)
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
          `the store failed (${messageOf(error)}). This process refuses the tokens and goes on trying to store the revocation; other processes may accept them until then`,
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
          `the store failed (${messageOf(error)}). The revocation is still in effect; call unrevoke again`,
          false,
        )
      }
    },
  }
}

function isSame(one: Revocation | undefined, other: Revocation): boolean {
  return one?.until === other.until && one.issuedBefore === other.issuedBefore
}
