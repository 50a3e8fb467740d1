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
  /** Sends a call that has its token already. */
  readonly send: (call: Call) => Promise<Dispatcher.ResponseData>
  /** Sends a call through the interceptor, which adds the token. */
  readonly intercept: (call: Call) => Promise<Dispatcher.ResponseData>
}

/**
 * Sends a call with a bearer token. A plain call, as nearly all are, bypasses the interceptor: `request` returns the
 * answer as a whole, so its status can be checked here, whereas an interceptor makes undici parse and serialise the
 * headers of every answer one more time. A 401 is decided by the same policy.
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
    const call = request as PlainCall // a plain call, with the same options when it is sent again
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

/** undici resolves a call with nothing if the dispatcher throws, or tells of, a falsy value instead of an error. */
function refuseNothing(answer: { readonly statusCode?: number }): void {
  if (answer.statusCode === undefined) throw new Error('the dispatcher ended the call without an answer')
}

/** If the body is still arriving, its connection is closed; if it is complete, the connection is reused. */
function discard(body: Dispatcher.ResponseData['body']): void {
  body.on('error', () => {}).destroy()
}

/** Whether a call can be sent again as it is, and is aborted by a standard signal. */
function isPlain(call: Call): call is PlainCall {
  const { body, signal } = call
  return isLasting(body) && (signal === undefined || signal instanceof AbortSignal)
}
