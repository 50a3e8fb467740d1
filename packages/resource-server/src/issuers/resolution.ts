import { Refusal } from '../errors.js'
import { createFreshness, isWithin, type FreshnessTimes } from '../freshness.js'
import type { IssuerSettings } from '../options/issuer-options.js'
import type { TrustedIssuer } from '../verify/candidate.js'

/** How long what lasts, in milliseconds. */
export interface ResolutionTimes extends FreshnessTimes {
  /** How long an issuer that is not trusted is not looked up again. */
  readonly cooldownMs: number
}

/** What came of looking up an issuer, for logs and events. */
export type ResolutionEvent =
  | {
      readonly type: 'resolved'
      readonly trusted: boolean
      /** The issuer was trusted until now. */
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
  /** Looks the issuer up. Rejects within a bounded time when that is not possible. */
  readonly resolve: () => Promise<IssuerSettings | Refusal>
  /** @throws {InvalidOptionError} when its keys are options and none can be used */
  readonly trust: (settings: IssuerSettings) => TrustedIssuer
  readonly now: () => number
  readonly onEvent: (event: ResolutionEvent) => void
}

/** What the application says about one issuer: looked up, kept, renewed, withdrawn. */
export interface Resolution {
  /** The issuer, if it is known and fresh; never waits. Renews it in the background when that is due. */
  use(time: number): TrustedIssuer | undefined
  /** Why there is no issuer, while it is too early to ask again. */
  refused(time: number): Refusal | undefined
  /** Asks the application; once for any number of callers. */
  ask(): Promise<TrustedIssuer | Refusal>
  isAsking(): boolean
  /** The issuer, if its tokens may be accepted. */
  current(time: number): TrustedIssuer | undefined
}

export function createResolution(
  { resolve, trust, now, onEvent }: ResolutionSteps,
  times: ResolutionTimes,
): Resolution {
  let issuer: TrustedIssuer | undefined
  /** The settings of that issuer as JSON: while they stay the same, its keys are kept. */
  let known = ''
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
    const text = JSON.stringify(settings)
    const same = text === known ? issuer : undefined
    const next = same ?? trust(settings)
    known = text
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
