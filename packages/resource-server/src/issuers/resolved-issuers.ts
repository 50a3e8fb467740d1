import { isTrustworthyUrl } from 'declared-options'
import { LRUCache } from 'lru-cache'
import { within } from 'oauth-issuer-connection'
import { Refusal } from '../errors.js'
import { andThen } from '../later.js'
import type { IssuerSettings } from '../options/issuer-options.js'
import type { ResolveSettings } from '../options/issuers-option.js'
import type { Purpose } from '../keys/key-set.js'
import type { TrustedIssuer } from '../verify/candidate.js'
import type { ChooseIssuer } from '../verify/choose-issuer.js'
import { createLookUpLimit, explainedLookUpsAtOnce } from './look-up-limit.js'
import {
  createResolution,
  type Resolution,
  type ResolutionEvent,
  type ResolutionTimes,
} from './resolution.js'

/** The issuers that are looked up with the application's function `issuers`. */
export interface ResolvedIssuers {
  readonly choose: ChooseIssuer
  /** Returns the issuers whose tokens may currently be accepted. */
  list(): readonly TrustedIssuer[]
}

export interface ResolvedIssuersSteps {
  readonly resolve: ResolveSettings
  readonly trust: (settings: IssuerSettings) => TrustedIssuer
  /** The time limit for one lookup, in milliseconds. */
  readonly timeoutMs: number
  readonly times: ResolutionTimes
  readonly allowInsecureHttp: boolean
  readonly now: () => number
  /** @param isProven whether the plugin has verified a token from the issuer */
  readonly onEvent: (event: ResolutionEvent, issuer: string, isProven: boolean) => void
}

/**
 * The maximum number of issuers in each of two LRU caches: one for issuers from which a token has been verified, and
 * one for all other issuers.
 */
const maxIssuers = 1_000
const longestName = 512
const retryAfterMs = 1_000

/**
 * Caches looked-up issuers. Issuers from which a token has been verified have their own cache and are exempt from the
 * lookup limit, so tokens from invented issuers can neither evict nor delay them.
 */
export function createResolvedIssuers(steps: ResolvedIssuersSteps): ResolvedIssuers {
  const { resolve, trust, timeoutMs, times, allowInsecureHttp, now, onEvent } = steps
  const proven = new LRUCache<string, Resolution>({ max: maxIssuers })
  const others = new LRUCache<string, Resolution>({ max: maxIssuers })
  const limits = {
    verify: createLookUpLimit(),
    explain: createLookUpLimit(explainedLookUpsAtOnce, explainedLookUpsAtOnce),
  }

  const find = (name: string): Resolution | undefined => proven.get(name) ?? others.get(name)

  function add(name: string): Resolution {
    const resolution: Resolution = createResolution(
      {
        resolve: () => within(timeoutMs, resolve(name), () => Promise.reject(tooLate(timeoutMs))),
        trust: settings => follow(trust(settings), name, resolution),
        now,
        onEvent: event => onEvent(event, name, proven.has(name)),
      },
      times,
    )
    others.set(name, resolution)
    return resolution
  }

  /**
   * Wraps an issuer so that its cached tokens become invalid when the application stops trusting the issuer or changes
   * its settings.
   */
  function follow(issuer: TrustedIssuer, name: string, resolution: Resolution): TrustedIssuer {
    const { keys, verifySignature } = issuer
    const followed: TrustedIssuer = {
      ...issuer,
      keys: {
        ...keys,
        reuse: (key, time) =>
          find(name) === resolution && resolution.use(time) === followed && keys.reuse(key, time),
      },
      verifySignature: (token, key, algorithm) =>
        andThen(verifySignature(token, key, algorithm), refusal => {
          if (refusal === undefined) prove(name, resolution)
          return refusal
        }),
    }
    return followed
  }

  function prove(name: string, resolution: Resolution): void {
    if (proven.get(name) === resolution) return
    others.delete(name)
    proven.set(name, resolution)
  }

  function lookUp(name: string, known: Resolution | undefined, purpose: Purpose): ReturnType<ChooseIssuer> {
    if (known === undefined && !isIssuerName(name, allowInsecureHttp))
      return new Refusal('issuer', 'the claim iss is not a valid issuer URL')
    const time = now()
    const refused = known?.refused(time)
    if (refused !== undefined) return refused
    if (known !== undefined && (known.isAsking() || proven.has(name))) return known.ask()
    const limit = limits[purpose]
    if (!limit.take(time))
      return new Refusal('unavailable', 'too many tokens from unknown issuers', { retryAfterMs })
    return (known ?? add(name)).ask().finally(() => limit.release())
  }

  return {
    choose(claims, purpose) {
      const { iss: name } = claims
      if (typeof name !== 'string') return new Refusal('issuer', 'the claim iss is not a string')
      const resolution = find(name)
      return resolution?.use(now()) ?? lookUp(name, resolution, purpose)
    },
    list() {
      const time = now()
      return [...proven.values(), ...others.values()].flatMap(resolution => resolution.current(time) ?? [])
    },
  }
}

/**
 * Returns whether `iss` is a URL in normalized form. Other spellings are refused, because applications and URL parsers
 * could read them differently.
 */
export function isIssuerName(name: string, allowInsecureHttp: boolean): boolean {
  if (name.length > longestName || !/^[\x21-\x7E]+$/.test(name) || /[?#{}]/.test(name)) return false
  if (!isTrustworthyUrl(name, allowInsecureHttp)) return false
  const { href, pathname } = new URL(name)
  return href === name || (pathname === '/' && href === `${name}/`)
}

function tooLate(timeoutMs: number): Error {
  return new Error(`the function \`issuers\` did not settle within ${timeoutMs} ms`)
}
