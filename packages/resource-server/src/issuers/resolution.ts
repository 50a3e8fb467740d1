import { isDeepStrictEqual } from 'node:util'
import { Refusal } from '../errors.js'
import { createFreshness, isWithin, type FreshnessTimes } from '../freshness.js'
import type { IssuerSettings } from '../options/issuer-options.js'
import type { TrustedIssuer } from '../verify/candidate.js'

/** How long the result of looking up an issuer is cached, in milliseconds. */
export interface ResolutionTimes extends FreshnessTimes {
  /** How long to wait before an untrusted issuer is looked up again. */
  readonly cooldownMs: number
}

/** The result of looking up an issuer, for logs and events. */
export type ResolutionEvent =
  | {
      readonly type: 'resolved'
      readonly trusted: boolean
      /** True if the previous lookup returned the issuer as trusted, but this lookup did not. */
      readonly withdrawn: boolean
      readonly durationMs: number
    }
  | {
      readonly type: 'failed'
      readonly error: unknown
      readonly servingStale: boolean
      readonly retryAfterMs: number
      readonly durationMs: number
    }

export interface ResolutionSteps {
  /** Looks up the issuer. Rejects if the lookup fails or takes too long. */
  readonly resolve: () => Promise<IssuerSettings | Refusal>
  /** @throws {InvalidOptionError} if the issuer's option `keys` contains no usable key */
  readonly trust: (settings: IssuerSettings) => TrustedIssuer
  readonly now: () => number
  readonly onEvent: (event: ResolutionEvent) => void
}

/** The cached result of looking up one issuer. */
export interface Resolution {
  /** Returns the cached issuer if it is fresh, without waiting. Starts a background renewal if one is due. */
  use(time: number): TrustedIssuer | undefined
  /**
   * Returns the refusal from the last lookup if it did not return a trusted issuer. Returns undefined once the issuer
   * may be looked up again.
   */
  refused(time: number): Refusal | undefined
  /** Looks up the issuer. Concurrent callers share one lookup. */
  ask(): Promise<TrustedIssuer | Refusal>
  isAsking(): boolean
  /** Returns the issuer if its tokens may be accepted, even if the cached result is stale. */
  current(time: number): TrustedIssuer | undefined
}

export function createResolution(
  { resolve, trust, now, onEvent }: ResolutionSteps,
  times: ResolutionTimes,
): Resolution {
  let issuer: TrustedIssuer | undefined
  /** The settings from the last lookup. The issuer's cached keys are kept until the settings change. */
  let known: IssuerSettings | undefined
  let unknown: Refusal | undefined
  const freshness = createFreshness(times)
  let running: Promise<TrustedIssuer | Refusal> | undefined

  function ask(): Promise<TrustedIssuer | Refusal> {
    running ??= lookUp().finally(() => {
      running = undefined
    })
    return running
  }

  async function lookUp(): Promise<TrustedIssuer | Refusal> {
    const startedAt = performance.now()
    try {
      return accept(await resolve(), startedAt)
    } catch (error) {
      return fail(error, startedAt)
    }
  }

  function accept(answer: IssuerSettings | Refusal, startedAt: number): TrustedIssuer | Refusal {
    const withdrawn = issuer !== undefined && answer instanceof Refusal
    const outcome = answer instanceof Refusal ? answer : trusted(answer)
    issuer = outcome instanceof Refusal ? undefined : outcome
    unknown = outcome instanceof Refusal ? outcome : undefined
    freshness.succeed(now())
    const durationMs = performance.now() - startedAt
    onEvent({ type: 'resolved', trusted: unknown === undefined, withdrawn, durationMs })
    return outcome
  }

  function trusted(settings: IssuerSettings): TrustedIssuer {
    const same = isDeepStrictEqual(settings, known) ? issuer : undefined
    const next = same ?? trust(settings)
    known = settings
    return next
  }

  function fail(error: unknown, startedAt: number): TrustedIssuer | Refusal {
    const time = now()
    const retryAfterMs = freshness.fail(time)
    const stale = current(time)
    const durationMs = performance.now() - startedAt
    onEvent({ type: 'failed', error, servingStale: stale !== undefined, retryAfterMs, durationMs })
    return stale ?? unavailable(retryAfterMs)
  }

  function current(time: number): TrustedIssuer | undefined {
    return freshness.isUsable(time) ? issuer : undefined
  }

  function refused(time: number): Refusal | undefined {
    const backOffMs = freshness.backOffMs(time)
    if (backOffMs > 0) return unavailable(backOffMs)
    return isWithin(times.cooldownMs, freshness.state().answeredAt, time) ? unknown : undefined
  }

  return {
    use(time) {
      if (issuer === undefined || !freshness.isFresh(time)) return undefined
      if (freshness.isDue(time) && running === undefined && refused(time) === undefined) void ask() // it never rejects
      return issuer
    },
    refused,
    ask,
    isAsking: () => running !== undefined,
    current,
  }
}

function unavailable(waitMs: number): Refusal {
  return new Refusal('unavailable', 'the issuer could not be looked up', { retryAfterMs: waitMs })
}
