import { messageOf } from 'oauth-issuer-connection'
import { notify, report } from '../diagnostics.js'
import { TokenRejectedError, TokenUnavailableError } from '../errors.js'
import { createToken, schedule, type Lifetimes, type Token } from '../token.js'
import type { AskForToken, TokenAnswer } from './ask-for-token.js'
import { createBackOff, type Outage } from './back-off.js'
import { createRenewalLimit } from './renewal-limit.js'
import { singleFlight } from './single-flight.js'
import { TokenRequestFailure } from './token-request-failure.js'

/** Caches a token and renews it before it expires. Concurrent calls share one token request. */
export interface TokenCache {
  /**
   * Returns the cached token, or a promise that resolves with a new token. The promise rejects with {@link
   * TokenRejectedError} or {@link TokenUnavailableError}.
   */
  readonly getToken: () => Token | Promise<Token>
  /** Returns the cached token if it has not expired. Sends no request. */
  readonly peekToken: () => Token | undefined
  /** Records that the API accepted this token. If the API rejects the token later, the token was probably revoked. */
  readonly accept: (token: Token) => void
  /** Discards the given token if it is cached. Returns true if the client may request another token now. */
  readonly invalidate: (token: Token) => boolean
  /** Returns the token's state for readiness probes, without sending a request. */
  readonly health: () => TokenHealth
}

export interface TokenHealth {
  /**
   * `ready`: a token is cached, so calls do not wait for a token request. `cold`: the next call requests a token.
   * `failing`: the last token request failed.
   */
  readonly state: 'ready' | 'cold' | 'failing'
  /** The expiry time of the cached token, in milliseconds since the epoch. */
  readonly expiresAt: number | undefined
  /**
   * The reason why the last token request failed. Do not expose the reason publicly, because it can contain host names.
   */
  readonly reason: string | undefined
}

/**
 * Called for each failed token request, even if no call is waiting for the token. `servingOld` is true if calls can
 * still use a cached token.
 */
export type OnTokenFailure = (error: TokenRejectedError | TokenUnavailableError, servingOld: boolean) => void

/** The options of a token cache. */
export interface TokenCacheOptions {
  readonly name: string
  readonly lifetimes: Lifetimes
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** Returns a random number from 0 to 1. */
  readonly random: () => number
  /** Returns true if the client is closing and must no longer renew tokens in the background. */
  readonly isClosing: () => boolean
  readonly onFailure: OnTokenFailure
}

export function createTokenCache(ask: AskForToken, options: TokenCacheOptions): TokenCache {
  const { name, lifetimes, now, random, isClosing, onFailure } = options
  let cached: Token | undefined
  let wasAccepted = false
  let refused: string | undefined
  const backOff = createBackOff(now, random)
  const limit = createRenewalLimit(now)

  const renew = singleFlight(async (): Promise<Token | Outage> => {
    const startedAt = now()
    const answer = await askSafely(ask, cached?.accessToken ?? refused)
    return answer instanceof TokenRequestFailure ? noteFailure(answer) : cache(answer, startedAt)
  })

  function cache(answer: TokenAnswer, startedAt: number): Token {
    const { accessToken, requestedAt, expiresIn, scope, identity } = answer
    const durationMs = now() - startedAt
    const times = schedule({ requestedAt, expiresIn, tookMs: durationMs }, lifetimes, random())
    const token = createToken(accessToken, { scopes: scope?.split(' '), ...times }, identity)
    cached = token
    wasAccepted = false
    backOff.succeed()
    const { expiresAt, scopes } = token
    report('fastify-token-client:token-received', { name, durationMs, expiresAt, scopes })
    return token
  }

  function noteFailure(failure: TokenRequestFailure): Outage {
    const outage = backOff.fail(failure)
    const servingOld = unexpired() !== undefined
    notify(() => onFailure(errorFor(outage), servingOld))
    const { detail: reason, permanent } = failure
    report('fastify-token-client:token-failed', { name, reason, permanent, servingOld })
    return outage
  }

  /** Returns the cached token if it has not expired. If a renewal fails, calls use this token until it expires. */
  function unexpired(): Token | undefined {
    return cached !== undefined && now() < cached.expiresAt ? cached : undefined
  }

  async function waitForToken(): Promise<Token> {
    const renewed = backOff.current() ?? (await renew())
    if (!('failure' in renewed)) return renewed
    const old = unexpired()
    if (old === undefined) throw errorFor(renewed)
    return old
  }

  return {
    getToken() {
      if (cached === undefined) return waitForToken()
      const time = now()
      if (time >= cached.useUntil) return waitForToken()
      if (time >= cached.renewAt && !isClosing() && backOff.current() === undefined) renew().catch(() => {}) // This error can be ignored: it occurs only if `clock` throws, and then the next call of `getToken` throws it too.
      return cached
    },
    peekToken: unexpired,
    accept(token) {
      if (token === cached) wasAccepted = true
    },
    invalidate(token) {
      if (cached !== token) return true // After a 401, another call may already have replaced the token.
      if (!limit.mayRenew(wasAccepted)) return false
      refused = token.accessToken
      cached = undefined
      return true
    },
    health() {
      const outage = backOff.current()
      const token = unexpired()
      const state =
        token !== undefined && now() < token.useUntil ? 'ready' : outage === undefined ? 'cold' : 'failing'
      return { state, expiresAt: token?.expiresAt, reason: outage?.failure.detail }
    },
  }
}

/** Requests a token and converts an unexpected exception into a failure, so that callers always receive a result. */
async function askSafely(
  ask: AskForToken,
  unwanted: string | undefined,
): Promise<TokenAnswer | TokenRequestFailure> {
  try {
    return await ask(unwanted)
  } catch (error) {
    return new TokenRequestFailure(messageOf(error))
  }
}

function errorFor({ failure, retryAfterMs }: Outage): TokenRejectedError | TokenUnavailableError {
  if (failure.permanent) return new TokenRejectedError(failure.error, failure.description)
  return new TokenUnavailableError(failure.detail, retryAfterMs)
}
