import { LRUCache } from 'lru-cache'
import { messageOf, problemOf, type IssuerConnection } from 'oauth-issuer-connection'
import type { AccessToken } from '../access-token.js'
import type { ClaimRules } from '../claims/check-claims.js'
import type { CheckCustomClaims } from '../claims/check-custom-claims.js'
import { lifetimeOf } from '../claims/check-times.js'
import { readAccessToken } from '../claims/read-access-token.js'
import { Refusal, type RefusalKind } from '../errors.js'
import type { Outcome } from '../outcome.js'
import { createAskIssuer, type IntrospectionClient } from './ask-issuer.js'
import {
  checkIntrospectedClaims,
  presentClaims,
  withStandIns,
  type IntrospectionRules,
  type OmittableClaim,
} from './introspected-claims.js'

/** The options for the introspection of opaque tokens (RFC 7662). */
export interface IntrospectionSettings extends IntrospectionClient {
  readonly endpoint: string | undefined
  /**
   * How long the response for an active token is cached, in milliseconds. During this time, the token is accepted even
   * if it has been revoked.
   */
  readonly cacheMs: number
  readonly acceptWithout: readonly OmittableClaim[]
  readonly requiredClaims: readonly string[]
  readonly allowInsecureHttp: boolean
}

/** The dependencies of introspection. */
export interface IntrospectionContext {
  readonly rules: ClaimRules
  readonly metadataUrl: string | undefined
  readonly connection: IssuerConnection
  readonly checkCustomClaims: CheckCustomClaims
  readonly now: () => number
}

/** Introspects opaque tokens at one issuer. */
export interface Introspection {
  /** Returns the token or a {@link Refusal}. The refusal's reason is `unavailable` if the issuer does not respond. */
  ask(raw: string, hash: string): Promise<Outcome>
  /** Returns whether this issuer has previously reported the token with this hash as active. */
  knows(hash: string): boolean
  /** Returns whether the issuer failed to respond to the last request. */
  isFailing(): boolean
}

const tokensKept = 1_000
/**
 * The maximum number of concurrent introspection requests for tokens that were not previously reported as active. Each
 * request has its own connection, so requests do not wait for one another.
 */
export const mostQuestions = 100
export const retryAfterMs = 1_000

export function createIntrospection(
  settings: IntrospectionSettings,
  context: IntrospectionContext,
): Introspection {
  const { rules, now } = context
  const introspectionRules: IntrospectionRules = { ...settings, claims: rules }
  const askIssuer = createAskIssuer(
    settings,
    { ...settings, issuer: rules.issuer, metadataUrl: context.metadataUrl },
    context.connection,
  )
  /**
   * Caches the responses for active tokens, keyed by token hash. Stale responses are kept, because they show that a
   * token was active before.
   */
  const active = new LRUCache<string, Answer>({ max: tokensKept })
  const running = new Map<string, Promise<Outcome>>()
  let questions = 0
  let failing = false

  function unavailable(detail: string, kind?: RefusalKind): Refusal {
    const known = { kind, issuer: rules.issuer, retryAfterMs }
    return new Refusal('unavailable', `introspection: ${detail}`, known)
  }

  async function verify(raw: string, hash: string): Promise<Outcome> {
    const response = await askIssuer(raw).catch((error: unknown) =>
      unavailable(messageOf(error), problemOf(error)),
    )
    failing = response instanceof Refusal
    if (response instanceof Refusal) return response
    if (response['active'] !== true) {
      active.delete(hash)
      return new Refusal('inactive', 'the issuer reports the token as inactive', {
        issuer: rules.issuer,
      })
    }
    // If the response omits `iss`, the claim is set to the issuer that sent the response.
    const claims = { iss: rules.issuer, ...presentClaims(response) }
    const time = now()
    const refusal =
      checkIntrospectedClaims(claims, introspectionRules, time) ?? context.checkCustomClaims(claims)
    if (refusal !== undefined) return refusal
    const answer = remember(claims, time)
    active.set(hash, answer)
    return answer.token
  }

  function remember(claims: Readonly<Record<string, unknown>>, since: number): Answer {
    const { usableUntil } = lifetimeOf(withStandIns(claims, introspectionRules, since), rules)
    const read = readAccessToken(claims, rules)
    const expiresAt = claims['exp'] === undefined ? since + settings.cacheMs : read.expiresAt
    const token = Object.freeze({ ...read, expiresAt })
    return { token, since, until: Math.min(expiresAt, usableUntil, since + settings.cacheMs) }
  }

  /**
   * Introspects a token. Tokens that an earlier introspection reported as active are exempt from the limit on concurrent requests, so that a flood of made-up tokens cannot block valid tokens.
   */
  async function askOnce(raw: string, hash: string): Promise<Outcome> {
    if (active.has(hash)) return verify(raw, hash)
    if (questions >= mostQuestions)
      return unavailable(`${mostQuestions} requests for new tokens are already in flight`)
    questions += 1
    return verify(raw, hash).finally(() => {
      questions -= 1
    })
  }

  return {
    ask(raw, hash) {
      const known = active.get(hash)
      if (known !== undefined && isFresh(known, now())) return Promise.resolve(known.token)
      let asked = running.get(hash)
      if (asked === undefined) {
        asked = askOnce(raw, hash).finally(() => running.delete(hash))
        running.set(hash, asked)
      }
      return asked
    },
    knows: hash => active.has(hash),
    isFailing: () => failing,
  }
}

/** A cached response for an active token. Times are in milliseconds since the epoch. */
interface Answer {
  readonly token: AccessToken
  readonly since: number
  readonly until: number
}

/**
 * Returns whether a cached response is fresh. If the response seems to have arrived in the future, the clock was set
 * back, and the response counts as stale.
 */
function isFresh({ since, until }: Answer, time: number): boolean {
  return time >= since && time < until
}
