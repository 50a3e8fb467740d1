import { LRUCache } from 'lru-cache'
import { messageOf, type IssuerConnection } from 'oauth-issuer-connection'
import type { AccessToken } from '../access-token.js'
import type { ClaimRules } from '../claims/check-claims.js'
import type { CheckCustomClaims } from '../claims/check-custom-claims.js'
import { lifetimeOf } from '../claims/check-times.js'
import { readAccessToken } from '../claims/read-access-token.js'
import { Refusal } from '../errors.js'
import type { Outcome } from '../outcome.js'
import { createAskIssuer, type IntrospectionClient } from './ask-issuer.js'
import {
  checkIntrospectedClaims,
  presentClaims,
  withStandIns,
  type IntrospectionRules,
  type OmittableClaim,
} from './introspected-claims.js'

/** How opaque tokens are introspected (RFC 7662). */
export interface IntrospectionSettings extends IntrospectionClient {
  readonly endpoint: string | undefined
  /** How long an answer is cached, in milliseconds: for this long, a revoked token still works. */
  readonly cacheMs: number
  readonly acceptWithout: readonly OmittableClaim[]
  readonly requiredClaims: readonly string[]
  readonly allowInsecureHttp: boolean
}

/** What introspection works with. */
export interface IntrospectionContext {
  readonly rules: ClaimRules
  readonly metadataUrl: string | undefined
  readonly connection: IssuerConnection
  readonly checkCustomClaims: CheckCustomClaims
  readonly now: () => number
}

/** Asks one issuer about tokens that are not JWTs. */
export interface Introspection {
  /** The token, or a {@link Refusal}: with the reason `unavailable` when the issuer cannot be asked. */
  ask(raw: string, hash: string): Promise<Outcome>
  /** Whether this issuer said earlier that the token with this hash is active. */
  knows(hash: string): boolean
  /** Whether the issuer failed to answer the latest question. */
  isFailing(): boolean
}

const tokensKept = 1_000
/** Requests for tokens never seen before that may be running at once. Each has a connection, so none waits for others. */
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
  /** Active tokens by their hash. A stale entry still tells that the token was active once. */
  const active = new LRUCache<string, Answer>({ max: tokensKept })
  const running = new Map<string, Promise<Outcome>>()
  let questions = 0
  let failing = false

  function unavailable(detail: string): Refusal {
    return new Refusal('unavailable', `introspection: ${detail}`, { issuer: rules.issuer, retryAfterMs })
  }

  async function verify(raw: string, hash: string): Promise<Outcome> {
    const response = await askIssuer(raw).catch((error: unknown) => unavailable(messageOf(error)))
    failing = response instanceof Refusal
    if (response instanceof Refusal) return response
    if (response['active'] !== true) {
      active.delete(hash)
      return new Refusal('inactive', 'the issuer says that the token is not active', {
        issuer: rules.issuer,
      })
    }
    // `iss` is optional in the response, which comes from this issuer only.
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

  /** Tokens that were active before are always asked about: invented ones must not lock them out. */
  async function askOnce(raw: string, hash: string): Promise<Outcome> {
    if (active.has(hash)) return verify(raw, hash)
    if (questions >= mostQuestions) return unavailable(`${mostQuestions} requests are in flight already`)
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

/** What the issuer said about an active token; times in milliseconds since the epoch. */
interface Answer {
  readonly token: AccessToken
  readonly since: number
  readonly until: number
}

/** If the clock was set back to before the answer, its age is unknown. */
function isFresh({ since, until }: Answer, time: number): boolean {
  return time >= since && time < until
}
