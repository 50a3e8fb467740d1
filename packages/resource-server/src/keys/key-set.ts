import { Refusal } from '../errors.js'
import type { Algorithm } from './algorithms.js'
import type { WantedKey } from './fetch-jwks.js'
import type { FetchKeys } from './issuer-keys.js'
import type { PublicKey } from './public-key.js'
import { createUnknownKeys } from './unknown-keys.js'

/** How long what lasts, in milliseconds. */
export interface KeyTimes {
  /** Age at which keys are renewed; in the background from four fifths of it on. */
  readonly maxAgeMs: number
  /** Age up to which keys stay in use while they cannot be renewed; longer than `maxAgeMs`. */
  readonly keepMs: number
  /** Unknown key ids cause a few requests in this time at most, and each of them one. */
  readonly cooldownMs: number
}

/** What happens to the keys, for logs and events. */
export type KeyEvent =
  | {
      readonly type: 'fetched'
      readonly kids: readonly (string | undefined)[]
      readonly withdrawn: readonly (string | undefined)[]
      /** How long the issuer took. */
      readonly durationMs: number
    }
  | {
      readonly type: 'failed'
      readonly error: Error
      readonly servingStale: boolean
      readonly retryAfterMs: number
      readonly durationMs: number
    }

/** The keys of one issuer: fetched, kept, renewed, withdrawn. */
export interface KeySet {
  /** The key for a token, if it is known and fresh; never waits. Renews the keys in the background when that is due. */
  use(kid: string | undefined, algorithm: string): PublicKey | undefined
  /** The key for a token, asking the issuer if necessary. A {@link Refusal} when the issuer cannot be asked now. */
  lookUp(kid: string | undefined, algorithm: string): Promise<PublicKey | Refusal | undefined>
  /**
   * Whether a key that verified a token earlier may be used again at this time in milliseconds: the issuer still lists
   * it. Renews the keys in the background when that is due.
   */
  reuse(key: PublicKey, time: number): boolean
  /** Fetches the keys now. @throws the reason why it can't */
  load(): Promise<void>
  /** What is at hand, and how the issuer is doing. */
  state(): KeySetState
}

/** How one issuer's keys are. */
export interface KeySetState {
  /** Key ids that are accepted now. */
  readonly kids: readonly (string | undefined)[]
  /** Milliseconds since the epoch; null: never. */
  readonly fetchedAt: number | null
  /** Failures one after the other until now. */
  readonly failures: number
}

const firstBackOffMs = 1_000
const longestBackOffMs = 60_000

/**
 * @param fetchKeys asks the issuer; rejects when the answer is not a healthy set with at least one usable key
 * @param now milliseconds since the epoch
 */
export function createKeySet(
  fetchKeys: FetchKeys,
  times: KeyTimes,
  now: () => number,
  onEvent: (event: KeyEvent) => void,
): KeySet {
  let keys: readonly PublicKey[] = []
  let current: ReadonlySet<PublicKey> = new Set()
  let fetchedAt = -Infinity
  let failures = 0
  let failedAt = -Infinity
  let retryAfterMs = 0
  const unknownKeys = createUnknownKeys(times.cooldownMs, now)
  let running: Promise<void> | undefined

  /** Not where the clock was set back to before that moment: then nothing can be told, and the issuer is asked. */
  function isWithin(durationMs: number, since: number, time = now()): boolean {
    const elapsed = time - since
    return elapsed >= 0 && elapsed < durationMs
  }
  const isUsable = (): boolean => isWithin(times.keepMs, fetchedAt)
  const isBackingOff = (): boolean => isWithin(retryAfterMs, failedAt)

  function renew(wanted?: WantedKey): Promise<void> {
    const startedAt = performance.now()
    running ??= fetchKeys(wanted)
      .then(
        fetched => accept(fetched, performance.now() - startedAt),
        (error: Error) => fail(error, performance.now() - startedAt),
      )
      .finally(() => {
        running = undefined
      })
    return running
  }

  function accept(fetched: readonly PublicKey[], durationMs: number): void {
    const withdrawn = keys.filter(key => !fetched.includes(key)).map(key => key.kid)
    keys = fetched
    current = new Set(fetched)
    fetchedAt = now()
    failures = 0
    retryAfterMs = 0
    onEvent({ type: 'fetched', kids: keys.map(key => key.kid), withdrawn, durationMs })
  }

  function fail(error: Error, durationMs: number): never {
    retryAfterMs = Math.min(firstBackOffMs * 2 ** failures, longestBackOffMs)
    failures += 1
    failedAt = now()
    onEvent({ type: 'failed', error, servingStale: isUsable(), retryAfterMs, durationMs })
    throw error
  }

  function renewAheadIfDue(time: number): void {
    if (isWithin(times.maxAgeMs * 0.8, fetchedAt, time) || running !== undefined || isBackingOff()) return
    renew().catch(() => {}) // reported by `fail`; the keys at hand go on serving
  }

  /** Keys past their age are waited for, once; when that fails, they serve on without anybody waiting. */
  function isFresh(time: number): boolean {
    return isWithin(times.maxAgeMs, fetchedAt, time) || (failures > 0 && isUsable())
  }

  function pick(kid: string | undefined, algorithm: string): PublicKey | undefined {
    const fits = (key: PublicKey): boolean => key.algorithms.includes(algorithm as Algorithm)
    if (kid !== undefined) return keys.find(key => key.kid === kid && fits(key))
    // RFC 7517 §4.5: without a kid, a token is verified only where there is nothing to choose.
    const fitting = keys.filter(fits)
    return fitting.length === 1 ? fitting[0] : undefined
  }

  function use(kid: string | undefined, algorithm: string): PublicKey | undefined {
    const time = now()
    if (!isFresh(time)) return undefined
    renewAheadIfDue(time)
    return pick(kid, algorithm)
  }

  async function lookUp(
    kid: string | undefined,
    algorithm: string,
  ): Promise<PublicKey | Refusal | undefined> {
    const known = use(kid, algorithm)
    if (known !== undefined) return known
    if (running !== undefined) {
      // A request that is on its way may have left before the issuer listed the key, so it decides nothing by itself.
      const joined = await renewed(kid, algorithm)
      if (joined !== undefined) return joined
    }
    // While the issuer fails, nobody can tell whether it has a new key.
    if (isBackingOff()) return unavailable(failedAt + retryAfterMs - now())
    // A healthy issuer is asked for a key that it does not list a few times only; a failing one is protected by the back-off.
    if (failures === 0 && isFresh(now())) {
      if (unknownKeys.wasAbsent(kid)) return undefined
      const waitMs = running === undefined ? unknownKeys.takeRequest() : 0
      if (waitMs > 0) return unavailable(waitMs)
    }
    const found = await renewed(kid, algorithm)
    if (found === undefined) unknownKeys.noteAbsent(kid)
    return found
  }

  /** The key after a renewal; after one that failed, the key from before, while it may be used. */
  async function renewed(
    kid: string | undefined,
    algorithm: string,
  ): Promise<PublicKey | Refusal | undefined> {
    try {
      await renew({ kid, algorithm })
    } catch {
      const stale = isUsable() ? pick(kid, algorithm) : undefined
      return stale ?? unavailable(failedAt + retryAfterMs - now())
    }
    return pick(kid, algorithm)
  }

  return {
    use,
    lookUp,
    reuse(key, time) {
      if (!isFresh(time) || !current.has(key)) return false
      renewAheadIfDue(time)
      return true
    },
    load: () => renew(),
    state: () => ({
      kids: isUsable() ? keys.map(key => key.kid) : [],
      fetchedAt: fetchedAt === -Infinity ? null : fetchedAt,
      failures,
    }),
  }
}

function unavailable(waitMs: number): Refusal {
  return new Refusal('unavailable', "the issuer's keys cannot be fetched now", {
    retryAfterMs: Math.max(waitMs, firstBackOffMs),
  })
}
