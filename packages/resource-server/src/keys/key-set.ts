import { Refusal } from '../errors.js'
import { createFreshness, firstBackOffMs, type FreshnessTimes } from '../freshness.js'
import type { Algorithm } from './algorithms.js'
import type { WantedKey } from './fetch-jwks.js'
import type { FetchKeys } from './issuer-keys.js'
import type { PublicKey } from './public-key.js'
import { createUnknownKeys, explainedKeyRequests, type UnknownKeys } from './unknown-keys.js'

/** How long what lasts, in milliseconds. */
export interface KeyTimes extends FreshnessTimes {
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

/** Why a token is looked at. Explanations have limits of their own for requests to issuers. */
export type Purpose = 'verify' | 'explain'

/** @param issuedBy the time in milliseconds by which the token must have been issued; unknown, if left out */
type LookUpKey = (
  kid: string | undefined,
  algorithm: string,
  issuedBy?: number,
) => Promise<PublicKey | Refusal | undefined>

/** The keys of one issuer: fetched, kept, renewed, withdrawn. */
export interface KeySet {
  /** The key for a token, if it is known and fresh; never waits. Renews the keys in the background when that is due. */
  use(kid: string | undefined, algorithm: string): PublicKey | undefined
  /**
   * The key for a token, asking the issuer if necessary. A {@link Refusal} when the issuer cannot be asked now.
   * Requests for unknown key ids are limited, separately for each purpose.
   */
  readonly lookUp: Readonly<Record<Purpose, LookUpKey>>
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
  const freshness = createFreshness(times)
  /** The last request for keys, if it failed. */
  let failure: Error | undefined
  let running: Promise<void> | undefined

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
    freshness.succeed(now())
    failure = undefined
    onEvent({ type: 'fetched', kids: keys.map(key => key.kid), withdrawn, durationMs })
  }

  function fail(error: Error, durationMs: number): never {
    const time = now()
    const retryAfterMs = freshness.fail(time)
    failure = error
    onEvent({ type: 'failed', error, servingStale: freshness.isUsable(time), retryAfterMs, durationMs })
    throw error
  }

  function renewAheadIfDue(time: number): void {
    if (!freshness.isDue(time) || running !== undefined || freshness.backOffMs(time) > 0) return
    renew().catch(() => {}) // reported by `fail`; the keys at hand go on serving
  }

  function pick(kid: string | undefined, algorithm: string): PublicKey | undefined {
    const fits = (key: PublicKey): boolean => key.algorithms.includes(algorithm as Algorithm)
    if (kid !== undefined) return keys.find(key => key.kid === kid && fits(key))
    // RFC 7517 §4.5: without a kid, a token is verified only where there is nothing to choose.
    const fitting = keys.filter(fits)
    return fitting.length === 1 ? fitting[0] : undefined
  }

  /** Whether the issuer lists this key id, for another algorithm; without a key id, whether there is nothing to ask for. */
  function isListed(kid: string | undefined): boolean {
    return kid === undefined || keys.some(key => key.kid === kid)
  }

  function use(kid: string | undefined, algorithm: string): PublicKey | undefined {
    const time = now()
    if (!freshness.isFresh(time)) return undefined
    renewAheadIfDue(time)
    return pick(kid, algorithm)
  }

  const lookUpWith =
    (unknownKeys: UnknownKeys): LookUpKey =>
    async (kid, algorithm, issuedBy = Infinity) => {
      const known = use(kid, algorithm)
      if (known !== undefined) return known
      if (running !== undefined) {
        // A request that is on its way may have left before the issuer listed the key, so it decides nothing by itself.
        const joined = await renewed(kid, algorithm)
        if (joined !== undefined) return joined
      }
      // While the issuer fails, nobody can tell whether it has a new key.
      const backOffMs = freshness.backOffMs(now())
      if (backOffMs > 0) return unavailable(backOffMs, failure)
      // A healthy issuer is asked for a key that it does not list a few times only; a failing one is protected by the back-off.
      if (freshness.state().failures === 0 && freshness.isFresh(now())) {
        const absentAt = unknownKeys.absentAt(kid)
        // Issuers list a key before they sign with it. A token issued since may be good: the key id may have been guessed.
        if (absentAt !== undefined)
          return issuedBy < absentAt || isListed(kid)
            ? undefined
            : unavailable(absentAt + times.cooldownMs - now())
        const waitMs = running === undefined ? unknownKeys.takeRequest() : 0
        if (waitMs > 0) return unavailable(waitMs, tooManyUnknown)
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
      const stale = freshness.isUsable(now()) ? pick(kid, algorithm) : undefined
      return stale ?? unavailable(freshness.backOffMs(now()), failure)
    }
    return pick(kid, algorithm)
  }

  return {
    use,
    lookUp: {
      verify: lookUpWith(createUnknownKeys(times.cooldownMs, now)),
      explain: lookUpWith(createUnknownKeys(times.cooldownMs, now, explainedKeyRequests)),
    },
    reuse(key, time) {
      if (!freshness.isFresh(time) || !current.has(key)) return false
      renewAheadIfDue(time)
      return true
    },
    load: () => renew(),
    state() {
      const { answeredAt, failures } = freshness.state()
      return {
        kids: freshness.isUsable(now()) ? keys.map(key => key.kid) : [],
        fetchedAt: answeredAt === -Infinity ? null : answeredAt,
        failures,
      }
    },
  }
}

const tooManyUnknown = new Error('tokens named too many unknown key ids')

function unavailable(waitMs: number, failure?: Error): Refusal {
  const why = failure === undefined ? '' : `: ${failure.message}`
  return new Refusal('unavailable', `the issuer's keys could not be fetched${why}`, {
    retryAfterMs: Math.max(waitMs, firstBackOffMs),
  })
}
