import type { Dispatcher } from 'undici'
import type { Token } from '../token.js'
import { withHeaders } from './with-headers.js'

/** The headers of an answer, as undici passes them to handlers. */
export type AnswerHeaders = Parameters<NonNullable<Dispatcher.DispatchHandler['onResponseStart']>>[2]

/** An authentication scheme (RFC 9110 §11.1): attaches a token to a request, and learns from the answer. */
export interface TokenScheme {
  /** Returns the request with the token in `Authorization`; the caller's own objects are not changed. */
  present(
    request: Dispatcher.DispatchOptions,
    token: Token,
  ): Dispatcher.DispatchOptions | Promise<Dispatcher.DispatchOptions>
  /** Looks at an answer. True: the token is fine, and the request is to be sent again with what was learned. */
  learn(request: Dispatcher.DispatchOptions, statusCode: number, headers: AnswerHeaders): boolean
}

/** RFC 6750 §2.1. */
export const bearer: TokenScheme = {
  present: (request, { accessToken }) => withHeaders(request, { authorization: `Bearer ${accessToken}` }),
  learn: () => false,
}
