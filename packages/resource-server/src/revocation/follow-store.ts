import { randomUUID } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { messageOf } from 'oauth-issuer-connection'
import { askStore } from './ask-store.js'
import type { RevocationPage, RevocationStore } from './revocation-store.js'

/** Receives the values from a revocation store, and notifications about its outages. */
export interface StoreListener {
  /**
   * Processes the values on a page.
   * @throws if the values cannot be processed. The plugin then reads the same page again
   */
  take(page: RevocationPage): void
  /** Called when the store becomes unavailable. From then on, values from other processes may be missing. */
  onUnavailable(reason: string): void
  onAvailable(): void
}

/** A revocation store that is read regularly. */
export interface FollowedStore {
  /**
   * Tests the store and reads it for the first time. Resolves with an error message if the store returns incorrect
   * results. Resolves with undefined if the store works or is only temporarily unavailable.
   */
  start(): Promise<string | undefined>
  /** Returns whether all values that were stored at least {@link staleAfterMs} milliseconds ago have been read. */
  isCurrent(): boolean
  close(): void
}

/** The time between two reads, in milliseconds. */
const everyMs = 400
/** The minimum time between two reads, in milliseconds, even if changes are announced more often. */
const leastPauseMs = 5
const timeoutMs = 500
/** The maximum number of pages in one read. With 500 values per page, this suffices for the largest `maxEntries`. */
const mostPages = 4_000
/**
 * The maximum time until a revocation takes effect on every replica, in milliseconds, as promised in docs/security.md.
 */
export const staleAfterMs = 1_000

/** Thrown if the store returned an incorrect result. Retrying would not help. */
class WrongStoreError extends Error {}

/**
 * Reads a store at regular intervals, and whenever the store announces a change. The regular reads are needed because
 * announcements may be lost. After a successful read, the known values count as current for {@link staleAfterMs}
 * milliseconds.
 */
export function followStore(store: RevocationStore, listener: StoreListener): FollowedStore {
  let cursor: string | undefined
  let isVerified = false
  let isClosed = false
  let state: 'starting' | 'current' | 'unavailable' = 'starting'
  let fault: unknown
  let nextRead: NodeJS.Timeout | undefined
  let isHurried = false
  let staleness: NodeJS.Timeout | undefined
  let stopWatching: (() => unknown) | undefined

  async function readAll(onPage?: (page: RevocationPage) => void): Promise<void> {
    const read = new Set([cursor])
    while (read.size <= mostPages) {
      const page = checkPage(await askStore(timeoutMs, async () => store.read(cursor)), read)
      if (isClosed) return
      onPage?.(page)
      listener.take(page)
      cursor = page.cursor
      if (!page.hasMore) return
      read.add(cursor)
      // The pause between two pages lets the process handle requests. Without it, a store that returns many pages from memory would delay all requests.
      await setImmediate()
    }
    throw new WrongStoreError(`read() still returned hasMore: true after ${mostPages} pages`)
  }

  /**
   * Writes a test value and reads it back, because revoked tokens would be accepted if the store lost revocations.
   * Tries twice, in case the store is emptied between writing and reading.
   */
  async function verifyStore(): Promise<void> {
    if (!(await findsWhatIsPut()) && !(await findsWhatIsPut()))
      throw new WrongStoreError('read() did not return the value that put() had stored')
    isVerified = true
  }

  async function findsWhatIsPut(): Promise<boolean> {
    const probe = `${verification}${randomUUID()}`
    await askStore(timeoutMs, async () => store.put(probe, probe, 10_000))
    let isFound = false
    await readAll(({ values }) => {
      isFound ||= values.includes(probe)
    })
    return isFound || isClosed
  }

  async function readOnce(): Promise<void> {
    const startedAt = performance.now()
    nextRead = undefined
    isHurried = false
    try {
      await (isVerified ? readAll() : verifyStore())
      fault = undefined
      if (!isClosed) becomeCurrent(startedAt)
    } catch (error) {
      fault = error
      if (state === 'starting') becomeUnavailable()
    }
    const pauseMs = isHurried ? leastPauseMs : startedAt + everyMs - performance.now()
    if (!isClosed) schedule(Math.max(leastPauseMs, pauseMs))
  }

  function schedule(pauseMs: number): void {
    nextRead = setTimeout(() => void readOnce(), pauseMs)
    nextRead.unref()
  }

  function becomeCurrent(since: number): void {
    clearTimeout(staleness)
    staleness = setTimeout(becomeUnavailable, since + staleAfterMs - performance.now())
    staleness.unref()
    if (state === 'unavailable') listener.onAvailable()
    state = 'current'
  }

  function becomeUnavailable(): void {
    if (isClosed) return
    state = 'unavailable'
    listener.onUnavailable(
      fault === undefined
        ? `the store has not been read successfully for ${staleAfterMs} ms`
        : messageOf(fault),
    )
  }

  function onChanged(): void {
    if (isHurried || isClosed) return
    isHurried = true
    if (nextRead === undefined) return // A read is in progress, and the next read will start soon after it ends.
    clearTimeout(nextRead)
    schedule(leastPauseMs)
  }

  /**
   * Subscribes to announcements of changes. The announcements only speed up updates, because regular reads find every
   * change.
   */
  async function watch(): Promise<void> {
    try {
      stopWatching = await store.watch?.(onChanged)
      if (isClosed) await stopWatching?.()
    } catch {
      // The error is ignored, because the periodic reads find all changes anyway.
    }
  }

  async function unwatch(): Promise<void> {
    try {
      await stopWatching?.()
    } catch {
      // An error does not matter here, because the plugin no longer uses the store.
    }
  }

  function close(): void {
    isClosed = true
    clearTimeout(nextRead)
    clearTimeout(staleness)
    void unwatch()
  }

  return {
    async start() {
      await readOnce()
      if (fault instanceof WrongStoreError) {
        close()
        return fault.message
      }
      void watch()
      return undefined
    },
    isCurrent: () => state === 'current',
    close,
  }
}

/** The prefix of test values, which are written only to verify that the store works. */
export const verification = 'verification '

/**
 * Validates a page that `read` returned, because the store may be implemented by the application.
 * @param read the cursors that have already been used in this series of reads
 * @throws {WrongStoreError} if the page is invalid
 */
function checkPage(page: unknown, read: ReadonlySet<string | undefined>): RevocationPage {
  const { values, cursor, fromStart, hasMore } = (page ?? {}) as {
    -readonly [N in keyof RevocationPage]?: unknown
  }
  const isPage =
    Array.isArray(values) &&
    values.every(value => typeof value === 'string') &&
    typeof cursor === 'string' &&
    typeof fromStart === 'boolean' &&
    typeof hasMore === 'boolean'
  if (!isPage)
    throw new WrongStoreError(
      'read() returned an invalid page; expected { values: string[], cursor: string, fromStart: boolean, hasMore: boolean }',
    )
  if (hasMore && values.length === 0) throw new WrongStoreError('read() returned hasMore: true but no values')
  if (hasMore && read.has(cursor))
    throw new WrongStoreError('read() returned hasMore: true with a cursor that it had already returned')
  return { values, cursor, fromStart, hasMore }
}
