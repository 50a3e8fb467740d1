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

/** Issuers that are looked up when a token names them. */
export interface ResolvedIssuers {
  readonly choose: ChooseIssuer
  /** Those whose tokens may be accepted now. */
  list(): readonly TrustedIssuer[]
}

export interface ResolvedIssuersSteps {
  readonly resolve: ResolveSettings
  readonly trust: (settings: IssuerSettings) => TrustedIssuer
  /** How long one look-up may take, in milliseconds. */
  readonly timeoutMs: number
  readonly times: ResolutionTimes
  readonly allowInsecureHttp: boolean
  readonly now: () => number
  /** @param isProven whether a token of the issuer has verified */
  readonly onEvent: (event: ResolutionEvent, issuer: string, isProven: boolean) => void
}

/** Issuers of which a token has verified, and all others: each kind may have so many. The least recently used is dropped. */
const maxIssuers = 1_000
const longestName = 512
const retryAfterMs = 1_000

/**
 * Issuers of which no token has verified yet have room of their own: whatever tokens name, they push no issuer out whose
 * tokens are in use, and those never wait for the limit of look-ups.
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

  /** Cached tokens count only while their issuer is still resolved to these settings. */
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
      return new Refusal('issuer', 'iss is not a URL that names an issuer')
    const time = now()
    const refused = known?.refused(time)
    if (refused !== undefined) return refused
    if (known !== undefined && (known.isAsking() || proven.has(name))) return known.ask()
    const limit = limits[purpose]
    if (!limit.take(time))
      return new Refusal('unavailable', 'too many tokens name unknown issuers', { retryAfterMs })
    return (known ?? add(name)).ask().finally(() => limit.release())
  }

  return {
    choose(claims, purpose) {
      const { iss: name } = claims
      if (typeof name !== 'string') return new Refusal('issuer', 'iss is not a string')
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
 * Only a URL as the URL parser writes it, because applications compare parts of it: the parser ignores control characters,
 * takes a backslash for a slash, and reads `https:host` as a URL. The braces of a template such as `{tenantid}` are escaped.
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
