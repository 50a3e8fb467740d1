import type { Dispatcher } from 'undici'
import { isLasting } from '../attach/replayable-body.js'
import { bearer } from '../attach/scheme.js'
import type { TokenInterceptorOptions } from '../attach/token-interceptor.js'
import type { Token } from '../token.js'
import { untilAborted } from './until-aborted.js'

type Call = Dispatcher.RequestOptions
type PlainCall = Call & { readonly signal?: AbortSignal }
type Answer = Dispatcher.ResponseData

/** What does without the interceptor, and with it. */
export interface Ways<Options> extends Pick<
  TokenInterceptorOptions,
  'getToken' | 'invalidate' | 'onCall' | 'onRefused'
> {
  /** A call as undici has it. */
  readonly locate: (options: Options) => Call
  /** Sends a call that has its token already. */
  readonly send: (call: Call) => Promise<Answer>
  /** Sends a call through the interceptor. */
  readonly intercept: (call: Call) => Promise<Answer>
}

/**
 * Sends a call with a bearer token. A plain call, as nearly all are, does not go through the interceptor: `request`
 * hands out its answer as a whole, so it can be looked at here, where a handler inside of undici, however little it does,
 * has the headers of every answer turned from bytes into text, back into bytes, and into text again. A 401 is dealt with
 * in the same way.
 */
export function requestDirectly<Options>(ways: Ways<Options>): (options: Options) => Promise<Answer> {
  const { locate, send, intercept, getToken, invalidate, onCall, onRefused } = ways

  return async options => {
    const call = locate(options)
    if (!isPlain(call)) return intercept(call)
    call.signal?.throwIfAborted()
    const kept = getToken()
    const cached = !(kept instanceof Promise)
    const token = cached ? kept : await untilAborted(() => kept, call.signal)
    onCall?.(call, cached)
    const answer = await send(withToken(call, token))
    return answer.statusCode === 401 ? replay(call, token, answer) : answer
  }

  async function replay(call: PlainCall, token: Token, refusal: Answer): Promise<Answer> {
    const mayAsk = invalidate(token)
    onRefused?.(call, mayAsk)
    if (!mayAsk) return refusal
    const other = await untilAborted(tokenIfAny, call.signal)
    if (other === undefined || other.accessToken === token.accessToken) return refusal
    letGo(refusal.body)
    const answer = await send(withToken(call, other))
    if (answer.statusCode !== 401) return answer
    invalidate(other)
    onRefused?.(call, false)
    return answer
  }

  async function tokenIfAny(): Promise<Token | undefined> {
    try {
      return await getToken()
    } catch {
      return undefined // the 401 tells the caller
    }
  }
}

/** What has not come of it by now is not waited for; where it has come to its end, its connection goes on. */
function letGo(body: Answer['body']): void {
  body.on('error', () => {}).destroy()
}

const withToken = (call: PlainCall, token: Token): Call => bearer.present(call, token) as Call

/** Whether a call can be sent twice as it is, and aborted by a signal that can be waited for. */
function isPlain(call: Call): call is PlainCall {
  const { body, signal } = call
  return isLasting(body) && (signal === undefined || signal instanceof AbortSignal)
}
