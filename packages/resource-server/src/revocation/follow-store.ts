import { randomUUID } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { messageOf } from 'oauth-issuer-connection'
import { askStore } from './ask-store.js'
import type { RevocationPage, RevocationStore } from './revocation-store.js'

/** What follows from reading the store. */
export interface StoreListener {
  /** Takes what was put since the last time. @throws if it cannot; the same is read again then */
  take(page: RevocationPage): void
  /** What was put by other processes may be unknown from now on. */
  onUnavailable(reason: string): void
  onAvailable(): void
}

/** A store that is read again and again. */
export interface FollowedStore {
  /** Checks the store and reads it for the first time. Returns why it can never work; an outage is none. */
  start(): Promise<string | undefined>
  /** Whether everything that was put up to {@link staleAfterMs} ago has been taken. */
  isCurrent(): boolean
  close(): void
}

/** From one read to the next, in milliseconds. */
const everyMs = 400
/** However many changes are announced. */
const leastPauseMs = 5
const timeoutMs = 500
/** In one read: with 500 values each, as many revocations as `maxEntries` can ever allow. */
const mostPages = 4_000
/** The promise that docs/security.md makes: a revocation counts everywhere after this time, in milliseconds. */
export const staleAfterMs = 1_000

/** The store answered, and wrongly: it will not work later either. */
class WrongStoreError extends Error {}

/**
 * Reads a store when it announces a change, and regularly, because announcements may be lost. Each read that succeeds proves
 * that everything put before it began is known, for {@link staleAfterMs} from then on.
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
      // A store in memory answers at once, and requests would wait until every page is read.
      await setImmediate()
    }
    throw new WrongStoreError(`read says after ${mostPages} pages that there are more`)
  }

  /** A store that forgets what is put would let revoked tokens in. Twice, since it may have been emptied in between. */
  async function verifyStore(): Promise<void> {
    if (!(await findsWhatIsPut()) && !(await findsWhatIsPut()))
      throw new WrongStoreError('a value that was put is not among those that read returns')
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
    listener.onUnavailable(fault === undefined ? `it was not read for ${staleAfterMs} ms` : messageOf(fault))
  }

  function onChanged(): void {
    if (isHurried || isClosed) return
    isHurried = true
    if (nextRead === undefined) return // it is being read, and will be once more
    clearTimeout(nextRead)
    schedule(leastPauseMs)
  }

  /** Announcements only make it faster: without them, changes are noticed by reading. */
  async function watch(): Promise<void> {
    try {
      stopWatching = await store.watch?.(onChanged)
      if (isClosed) await stopWatching?.()
    } catch {
      // Reading goes on.
    }
  }

  async function unwatch(): Promise<void> {
    try {
      await stopWatching?.()
    } catch {
      // The store is not used any more.
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

/** What values begin with that only verify the store. */
export const verification = 'verification '

/**
 * Checks a page of a store that the application provides.
 * @param read cursors from which pages were read before
 * @throws {WrongStoreError}
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
      'read returned something else than { values: strings, cursor: string, fromStart: boolean, hasMore: boolean }',
    )
  if (hasMore && values.length === 0)
    throw new WrongStoreError('read returned no values although it says that there are more')
  if (hasMore && read.has(cursor))
    throw new WrongStoreError('read returned a cursor twice although it says that there are more')
  return { values, cursor, fromStart, hasMore }
}
