import { report } from '../diagnostics.js'
import { TokenRejectedError, TokenUnavailableError } from '../errors.js'
import { createToken, schedule, type Lifetimes, type Token } from '../token.js'
import { createBackOff } from './back-off.js'
import type { TokenAnswer } from './request-token.js'
import { TokenRequestFailure } from './token-request-failure.js'
import { singleFlight } from './single-flight.js'

/** Where tokens come from: kept while they last, renewed ahead, requested once however many wait. */
export interface TokenSource {
  /**
   * A token to send: at once while one is kept, else a promise.
   * Rejects with {@link TokenRejectedError} or {@link TokenUnavailableError}.
   */
  readonly getToken: () => Token | Promise<Token>
  /** The kept token, if it may still be sent; asks nobody. */
  readonly peekToken: () => Token | undefined
  /** Drops this token, if it is still the kept one. Returns whether another may be asked for now. */
  readonly invalidate: (token: Token) => boolean
  /** What readiness probes want to know; asks nobody. */
  readonly health: () => TokenHealth
}

export interface TokenHealth {
  /** `ready`: calls don't wait. `cold`: the next call asks for a token. `failing`: the last request for one failed. */
  readonly state: 'ready' | 'cold' | 'failing'
  /** When the kept token ends, in milliseconds since the epoch. */
  readonly expiresAt: number | undefined
  /** Why the last request failed. */
  readonly reason: string | undefined
}

/** Time and chance, so that tests decide about both. */
export interface Surroundings {
  readonly now: () => number
  readonly random: () => number
  /** Whether the client is about to be closed: no token is renewed ahead then. */
  readonly isClosing: () => boolean
  /** Told of each failed request, also where no call waits for it; `servingOld` tells whether calls go on. */
  readonly onFailure: ((error: Error, servingOld: boolean) => void) | undefined
}

/** An API that answers 401 to everything must not turn each call into a token request. */
const forcedRenewalEveryMs = 10_000

/** @param request asks for a token other than the one given, which is at hand or was refused */
export function createTokenSource(
  name: string,
  request: (unwanted: string | undefined) => Promise<TokenAnswer>,
  lifetimes: Lifetimes,
  { now, random, isClosing, onFailure }: Surroundings,
): TokenSource {
  let kept: Token | undefined
  let refused: string | undefined
  let forcedAt = -Infinity
  const backOff = createBackOff(now, random)

  const renew = singleFlight(async (): Promise<Token> => {
    const startedAt = now()
    try {
      const { accessToken, requestedAt, expiresIn, scope } = await request(kept?.accessToken ?? refused)
      const times = schedule({ requestedAt, expiresIn, tookMs: now() - startedAt }, lifetimes, random())
      kept = createToken(accessToken, { scopes: scope?.split(' '), ...times })
      backOff.succeed()
      report('fastify-token-client:token-received', {
        name,
        durationMs: now() - startedAt,
        expiresAt: kept.expiresAt,
        scopes: kept.scopes,
      })
      return kept
    } catch (error) {
      const failure =
        error instanceof TokenRequestFailure ? error : new TokenRequestFailure((error as Error).message)
      const made = backOff.fail(errorFor(failure), failure.retryAfterMs)
      const servingOld = usable() !== undefined
      onFailure?.(made, servingOld)
      report('fastify-token-client:token-failed', {
        name,
        reason: failure.error,
        permanent: failure.permanent,
        servingOld,
      })
      throw made
    }
  })

  /** A token that has not ended: good enough when nothing better can be had. */
  function usable(): Token | undefined {
    return kept !== undefined && now() < kept.expiresAt ? kept : undefined
  }

  async function waitForToken(): Promise<Token> {
    const failure = backOff.current()
    try {
      if (failure !== undefined) throw failure
      return await renew()
    } catch (error) {
      const old = usable()
      if (old === undefined) throw error
      return old
    }
  }

  return {
    getToken() {
      if (kept === undefined) return waitForToken()
      const time = now()
      if (time >= kept.useUntil) return waitForToken()
      if (time >= kept.renewAt && !isClosing() && backOff.current() === undefined) renew().catch(() => {}) // reported; this token goes on
      return kept
    },
    peekToken: usable,
    invalidate(token) {
      if (kept !== token) return true // somebody else has dropped it already: theirs is the renewal
      const sinceForced = now() - forcedAt
      // Less than nothing: the clock was set back, and says nothing about it.
      if (sinceForced >= 0 && sinceForced < forcedRenewalEveryMs) return false
      forcedAt = now()
      refused = token.accessToken
      kept = undefined
      return true
    },
    health() {
      const failure = backOff.current()
      const token = usable()
      const state =
        token !== undefined && now() < token.useUntil ? 'ready' : failure === undefined ? 'cold' : 'failing'
      return { state, expiresAt: token?.expiresAt, reason: failure?.message }
    },
  }
}

function errorFor({ permanent, error, description }: TokenRequestFailure): (retryAfterMs: number) => Error {
  if (permanent) return () => new TokenRejectedError(error, description)
  return retryAfterMs =>
    new TokenUnavailableError(description === undefined ? error : `${error} (${description})`, retryAfterMs)
}
