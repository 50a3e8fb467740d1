import type { Dispatcher } from 'undici'
import { isLasting } from '../attach/replayable-body.js'
import type { TokenUse } from '../attach/token-interceptor.js'
import { bearer } from '../attach/token-scheme.js'
import { attemptsPerCall, type Resend } from '../attach/unauthorized-policy.js'
import { untilAborted } from '../until-aborted.js'

type Call = Dispatcher.RequestOptions
type PlainCall = Call & { readonly signal?: AbortSignal }

/** The two ways to send a call. */
export interface RequestWays {
  /** Sends a call that already has its token. */
  readonly send: (call: Call) => Promise<Dispatcher.ResponseData>
  /** Sends a call through the token interceptor. The interceptor adds the token. */
  readonly intercept: (call: Call) => Promise<Dispatcher.ResponseData>
}

/**
 * Sends calls with a bearer token. Most calls bypass the token interceptor, because undici converts the headers of each
 * response twice if there is an interceptor. A 401 response is handled in the same way with and without the
 * interceptor.
 */
export function requestDirectly(
  { send, intercept }: RequestWays,
  { getToken, accept, afterUnauthorized, onCall }: TokenUse,
): (call: Call) => Promise<Dispatcher.ResponseData> {
  return async call => {
    if (!isPlain(call)) return intercept(call)
    call.signal?.throwIfAborted()
    const found = getToken()
    const cached = !(found instanceof Promise)
    const token = cached ? found : await untilAborted(() => found, call.signal)
    onCall(call, cached)
    return sendWithToken({ request: call, token, left: attemptsPerCall })
  }

  async function sendWithToken({ request, token, left }: Resend): Promise<Dispatcher.ResponseData> {
    const call = request as PlainCall // This cast is safe, because a call that is sent again has the same options.
    const answer = await send(bearer.present(call, token) as Call)
    refuseNothing(answer)
    if (answer.statusCode !== 401) {
      accept(token)
      return answer
    }
    const resend = await untilAborted(
      () => afterUnauthorized({ body: { request, again: () => request }, token, left }, false),
      call.signal,
    )
    if (resend === undefined) return answer
    discard(answer.body)
    return sendWithToken(resend)
  }
}

/** Throws if there is no response, which happens if a dispatcher throws a falsy value. */
function refuseNothing(answer: { readonly statusCode?: number }): void {
  if (answer.statusCode === undefined) throw new Error('the dispatcher ended the call without a response')
}

/**
 * Discards a response body. If the body is incomplete, its connection is closed. Otherwise, the connection is reused.
 */
function discard(body: Dispatcher.ResponseData['body']): void {
  body.on('error', () => {}).destroy()
}

/** Returns true if the call can be sent again unchanged, and its option `signal` is an AbortSignal or is not set. */
function isPlain(call: Call): call is PlainCall {
  const { body, signal } = call
  return isLasting(body) && (signal === undefined || signal instanceof AbortSignal)
}
