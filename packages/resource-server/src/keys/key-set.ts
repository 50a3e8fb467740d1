import { Refusal } from '../errors.js'
import type { Algorithm } from './algorithms.js'
import type { PublicKey } from './public-key.js'

/** How long what lasts, in milliseconds. */
export interface KeyTimes {
  /** Age at which keys are renewed; in the background from four fifths of it on. */
  readonly maxAgeMs: number
  /** Age up to which keys stay in use while they cannot be renewed; longer than `maxAgeMs`. */
  readonly keepMs: number
  /** Unknown key ids cause one request in this time, whoever sends them. */
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
  fetchKeys: () => Promise<readonly PublicKey[]>,
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
  let unknownKeyAskedAt = -Infinity
  let running: Promise<void> | undefined

  /** Not where the clock was set back to before that moment: then nothing can be told, and the issuer is asked. */
  function isWithin(durationMs: number, since: number, time = now()): boolean {
    const elapsed = time - since
    return elapsed >= 0 && elapsed < durationMs
  }
  const isUsable = (): boolean => isWithin(times.keepMs, fetchedAt)
  const isBackingOff = (): boolean => isWithin(retryAfterMs, failedAt)

  function renew(): Promise<void> {
    const startedAt = performance.now()
    running ??= fetchKeys()
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
    const joined = running !== undefined
    if (!joined) {
      // While the issuer fails, nobody can tell whether it has a new key.
      if (isBackingOff()) return unavailable()
      // The cooldown is for a healthy issuer that does not have the key; after a failure, the back-off is the limit.
      if (failures === 0 && isFresh(now())) {
        if (isWithin(times.cooldownMs, unknownKeyAskedAt)) return undefined
        unknownKeyAskedAt = now()
      }
    }
    try {
      await renew()
    } catch {
      return (isUsable() ? pick(kid, algorithm) : undefined) ?? unavailable()
    }
    const key = pick(kid, algorithm)
    // The request that was joined may have been on its way before the issuer listed the key.
    return key === undefined && joined ? lookUp(kid, algorithm) : key
  }

  function unavailable(): Refusal {
    return new Refusal('unavailable', "the issuer's keys cannot be fetched", {
      retryAfterMs: Math.max(failedAt + retryAfterMs - now(), firstBackOffMs),
    })
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
