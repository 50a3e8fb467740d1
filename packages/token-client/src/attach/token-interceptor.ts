import { asError } from 'oauth-issuer-connection'
import type { Dispatcher } from 'undici'
import { OriginNotAllowedError } from '../errors.js'
import { ContainedHandler } from './contained-handler.js'
import { HeldController } from './held-controller.js'
import { toReplayable } from './replayable-body.js'
import type { TokenScheme } from './token-scheme.js'
import { UnauthorizedHandler, type AnswerActions } from './unauthorized-handler.js'
import {
  attemptsPerCall,
  type Resend,
  type TokenSupply,
  type UnauthorizedPolicy,
} from './unauthorized-policy.js'

export interface TokenUse extends Pick<TokenSupply, 'getToken' | 'accept'> {
  readonly afterUnauthorized: UnauthorizedPolicy
  readonly onCall: (request: Dispatcher.DispatchOptions, cached: boolean) => void
}

/**
 * Creates an undici interceptor that adds the token to requests to one origin. Requests to any other origin fail
 * without being sent. The interceptors `redirect` and `retry` must handle requests before this interceptor, so that it
 * checks each redirect and each retry. The interceptors `cache`, `deduplicate` and `dns` must handle requests after it,
 * because the first two must see the token, and `dns` changes the origin.
 * @param allowedOrigin the origin in the format of `URL.origin`
 */
export function createTokenInterceptor(
  allowedOrigin: string,
  scheme: TokenScheme,
  { getToken, accept, afterUnauthorized, onCall }: TokenUse,
): Dispatcher.DispatcherComposeInterceptor {
  return dispatch => {
    const actions: AnswerActions = { scheme, accept, afterUnauthorized, resend: send }

    function send({ request, token, left }: Resend, handler: Dispatcher.DispatchHandler): boolean {
      try {
        const body = toReplayable(request)
        const watched = new UnauthorizedHandler(handler, { body, token, left }, actions)
        const presented = scheme.present(body.request, token)
        if (!(presented instanceof Promise)) return dispatch(presented, watched)
        return sendLater(presented, watched, (ready, started) => void dispatch(ready, started))
      } catch (thrown) {
        throw asError(thrown) // Wraps a falsy value in an error, because undici would treat a falsy value as success.
      }
    }

    return (request, handler) => {
      const origin = originOf(request.origin)
      if (origin !== allowedOrigin)
        return refuse(handler, new OriginNotAllowedError(allowedOrigin, origin ?? 'unknown'))
      const token = getToken()
      if (token instanceof Promise)
        return sendLater(token, handler, (fresh, started) => {
          onCall(request, false)
          send({ request, token: fresh, left: attemptsPerCall }, started)
        })
      onCall(request, true)
      return send({ request, token, left: attemptsPerCall }, handler)
    }
  }
}

/**
 * Waits for a token or a DPoP proof before sending a request. Calls the handler's `onRequestStart` immediately, so that
 * the caller can abort this wait without affecting other calls.
 */
function sendLater<T>(
  awaited: Promise<T>,
  handler: Dispatcher.DispatchHandler,
  send: (value: T, started: Dispatcher.DispatchHandler) => void,
): boolean {
  const held = new HeldController()
  const contained = new ContainedHandler(handler, held)
  contained.start()
  void awaited
    .then(value => {
      if (!held.aborted) send(value, contained)
    })
    .catch((error: unknown) => contained.fail(error))
  return true
}

const origins = new Map<string, string>()

/**
 * Returns the `URL.origin` of a request. Up to 100 results are cached, because parsing each URL again would be slower.
 */
function originOf(origin: string | URL | undefined): string | undefined {
  if (origin === undefined) return undefined
  if (typeof origin !== 'string') return origin.origin
  const known = origins.get(origin)
  if (known !== undefined) return known
  if (!URL.canParse(origin)) return undefined
  const parsed = new URL(origin).origin
  if (origins.size < 100) origins.set(origin, parsed)
  return parsed
}

function refuse(handler: Dispatcher.DispatchHandler, error: Error): boolean {
  const contained = new ContainedHandler(handler, new HeldController())
  contained.start()
  contained.fail(error)
  return true
}
