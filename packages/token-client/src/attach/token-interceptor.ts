import type { Dispatcher } from 'undici'
import { OriginNotAllowedError } from '../errors.js'
import type { Token } from '../token.js'
import { HeldController } from './held-controller.js'
import { toReplayable } from './replayable-body.js'
import type { Scheme } from './scheme.js'
import { UnauthorizedHandler, type Attempts, type Replay } from './unauthorized-handler.js'

/** What the interceptor needs of the world around it. */
export interface TokenInterceptorOptions {
  readonly scheme: Scheme
  readonly getToken: () => Token | Promise<Token>
  readonly invalidate: (token: Token) => boolean
  /** The origins the token is for, as `URL.origin` writes them. */
  readonly allowedOrigins: ReadonlySet<string>
  readonly onCall: ((request: Dispatcher.DispatchOptions, cached: boolean) => void) | undefined
  readonly onRefused: ((request: Dispatcher.DispatchOptions, replayed: boolean) => void) | undefined
}

/**
 * An undici interceptor that sends the token to the allowed origins and to no other; a request to
 * another fails and is not sent. It looks at every hop, so it belongs inside `redirect` and `retry`, and outside
 * `cache`, `deduplicate` and `dns`.
 */
export function createTokenInterceptor(
  options: TokenInterceptorOptions,
): Dispatcher.DispatcherComposeInterceptor {
  const { scheme, getToken, invalidate, allowedOrigins, onCall, onRefused } = options
  const [allowed = ''] = allowedOrigins
  return dispatch => {
    const replay: Replay = { scheme, invalidate, getToken, onRefused, send }

    function send(
      request: Dispatcher.DispatchOptions,
      handler: Dispatcher.DispatchHandler,
      token: Token,
      left: Attempts,
    ): boolean {
      const body = toReplayable(request)
      const watched = new UnauthorizedHandler(handler, { body, token, left }, replay)
      const presented = scheme.present(body.request, token)
      if (!(presented instanceof Promise)) return dispatch(presented, watched)
      return sendLater(presented, watched, (ready, handed) => void dispatch(ready, handed))
    }

    return (request, handler) => {
      const origin = originOf(request.origin)
      if (origin === undefined || !allowedOrigins.has(origin))
        return fail(handler, new OriginNotAllowedError(allowed, origin ?? 'an origin that is not named'))
      const token = getToken()
      if (token instanceof Promise)
        return sendLater(token, handler, (fresh, handed) => {
          onCall?.(request, false)
          send(request, handed, fresh, once)
        })
      onCall?.(request, true)
      return send(request, handler, token, once)
    }
  }
}

/** One call is sent once more for either reason. */
const once: Attempts = { renewals: 1, nonces: 1 }

/** Starts the handler at once, so that the caller can abort the wait; its own wait, not what all wait for. */
function sendLater<T>(
  awaited: Promise<T>,
  handler: Dispatcher.DispatchHandler,
  send: (value: T, handler: Dispatcher.DispatchHandler) => void,
): boolean {
  const held = new HeldController()
  held.onAbort(reason => handler.onResponseError?.(held, reason))
  handler.onRequestStart?.(held, {})
  const failed = (error: unknown): void => {
    if (!held.aborted) handler.onResponseError?.(held, error as Error)
  }
  awaited
    .then(value => {
      if (!held.aborted) send(value, held.handOver(handler))
    })
    .catch(failed)
  return true
}

const origins = new Map<string, string>()

/** `URL.origin` of what undici calls the origin; the few that a client talks to are parsed once. */
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

function fail(handler: Dispatcher.DispatchHandler, error: Error): boolean {
  const held = new HeldController()
  handler.onRequestStart?.(held, {})
  handler.onResponseError?.(held, error)
  return true
}
