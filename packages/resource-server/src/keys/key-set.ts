import { problemOf } from 'oauth-issuer-connection'
import { Refusal, type RefusalKind } from '../errors.js'
import { createFreshness, firstBackOffMs, type FreshnessTimes } from '../freshness.js'
import type { Algorithm } from './algorithms.js'
import type { WantedKey } from './fetch-jwks.js'
import type { FetchKeys } from './issuer-keys.js'
import type { PublicKey } from './public-key.js'
import { createUnknownKeys, explainedKeyRequests, type UnknownKeys } from './unknown-keys.js'

/** The time limits of a key set, in milliseconds. */
export interface KeyTimes extends FreshnessTimes {
  /** The length of the period within which the number of requests for unknown key ids is limited. */
  readonly cooldownMs: number
}

/** An event of a key set, for logs and diagnostics channels. */
export type KeyEvent =
  | {
      readonly type: 'fetched'
      readonly kids: readonly (string | undefined)[]
      readonly withdrawn: readonly (string | undefined)[]
      /** The duration of the request in milliseconds. */
      readonly durationMs: number
    }
  | {
      readonly type: 'failed'
      readonly error: Error
      readonly servingStale: boolean
      readonly retryAfterMs: number
      readonly durationMs: number
    }

/**
 * Why a key is looked up: to verify a token, or for `explain`, which reports the result of every check. Each purpose
 * has its own limit on requests to the issuer.
 */
export type Purpose = 'verify' | 'explain'

/**
 * @param issuedBy the latest time at which the token may have been issued, in milliseconds since the epoch. Omit it if
 * the time is unknown
 */
type LookUpKey = (
  kid: string | undefined,
  algorithm: string,
  issuedBy?: number,
) => Promise<PublicKey | Refusal | undefined>

/** The cached keys of one issuer. */
export interface KeySet {
  /**
   * Returns the cached key for a token, or undefined if no fresh key is cached. Renews the cached keys in the
   * background when they are due for renewal.
   */
  use(kid: string | undefined, algorithm: string): PublicKey | undefined
  /**
   * Returns the key for a token, and fetches the issuer's keys if necessary. Returns a {@link Refusal} if the keys
   * cannot be fetched now. The number of requests for unknown key ids is limited, separately for each purpose.
   */
  readonly lookUp: Readonly<Record<Purpose, LookUpKey>>
  /**
   * Returns true if a key that verified an earlier token is still among the issuer's cached keys. Returns false if the
   * cached keys are stale. Renews the cached keys in the background when they are due for renewal. `time` is the
   * current time in milliseconds since the epoch.
   */
  reuse(key: PublicKey, time: number): boolean
  /**
   * Fetches the keys now.
   * @throws if the keys cannot be fetched
   */
  load(): Promise<void>
  /**
   * Returns the ids of the accepted keys, the time of the last successful request for keys, and the number of failures
   * since then.
   */
  state(): KeySetState
}

/** The state of one issuer's keys. */
export interface KeySetState {
  /** The ids of the currently accepted keys. */
  readonly kids: readonly (string | undefined)[]
  /** When the keys were last fetched, in milliseconds since the epoch. Null if they were never fetched. */
  readonly fetchedAt: number | null
  /** The number of failed requests for keys since the last successful one. */
  readonly failures: number
}

/**
 * @param fetchKeys fetches the keys, and rejects unless the response is a JWK set with at least one usable key
 * @param now returns the time in milliseconds since the epoch
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
  /** The error from the most recent request for keys. Undefined if that request succeeded. */
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
    renew().catch(() => {}) // The error has already been reported by `fail`, and the cached keys can still be used.
  }

  const pick = (kid: string | undefined, algorithm: string): PublicKey | undefined =>
    pickKey(keys, kid, algorithm)

  /**
   * Returns whether the issuer lists a key with this id, possibly for another algorithm. Returns true if the token
   * has no key id.
   */
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
        // A request for keys is already in progress. It may have been sent before the issuer published the key, so another request may be needed if the response does not contain the key.
        const joined = await renewed(kid, algorithm)
        if (joined !== undefined) return joined
      }
      // After a failed request, no requests are sent until the back-off has ended, so the plugin cannot find out whether the issuer has published a new key.
      const backOffMs = freshness.backOffMs(now())
      if (backOffMs > 0) return unavailable(backOffMs, failure)
      // The limit on requests for unknown keys applies only while the issuer responds. After a failed request for keys, the back-off already limits all requests.
      if (freshness.state().failures === 0 && freshness.isFresh(now())) {
        const absentAt = unknownKeys.absentAt(kid)
        // The issuer did not list this key id at `absentAt`, but may have published the key since then, so a token issued after `absentAt` may be valid.
        if (absentAt !== undefined)
          return issuedBy < absentAt || isListed(kid)
            ? undefined
            : unavailable(absentAt + times.cooldownMs - now())
        const waitMs = running === undefined ? unknownKeys.takeRequest() : 0
        if (waitMs > 0) return unavailable(waitMs, tooManyUnknown, 'too many requests')
      }
      const found = await renewed(kid, algorithm)
      if (found === undefined) unknownKeys.noteAbsent(kid)
      return found
    }

  /**
   * Renews the keys and returns the key for a token. If the renewal fails, returns the cached key, unless it is too old
   * to be used.
   */
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

/**
 * Returns the key for a token. If the token has no `kid` (RFC 7517 §4.5), returns a key only if exactly one key fits
 * the algorithm.
 */
export function pickKey(
  keys: readonly PublicKey[],
  kid: string | undefined,
  algorithm: string,
): PublicKey | undefined {
  const fits = (key: PublicKey): boolean => key.algorithms.includes(algorithm as Algorithm)
  if (kid !== undefined) return keys.find(key => key.kid === kid && fits(key))
  const fitting = keys.filter(fits)
  return fitting.length === 1 ? fitting[0] : undefined
}

const tooManyUnknown = new Error('too many tokens with unknown key ids')

function unavailable(
  waitMs: number,
  failure?: Error,
  kind: RefusalKind | undefined = problemOf(failure),
): Refusal {
  const why = failure === undefined ? '' : `: ${failure.message}`
  return new Refusal('unavailable', `the issuer's keys could not be fetched${why}`, {
    kind,
    retryAfterMs: Math.max(waitMs, firstBackOffMs),
  })
}
