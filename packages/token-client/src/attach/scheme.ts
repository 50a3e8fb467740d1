import type { Dispatcher } from 'undici'
import type { Token } from '../token.js'
import { withHeaders } from './with-headers.js'

/** What undici calls headers in an answer. */
export type AnswerHeaders = Parameters<NonNullable<Dispatcher.DispatchHandler['onResponseStart']>>[2]

/** How a token goes out with a request, and what is learned from the answer. */
export interface Scheme {
  /** The same request with the token, in place of any `Authorization` it had. The caller's headers stay as they are. */
  present(
    request: Dispatcher.DispatchOptions,
    token: Token,
  ): Dispatcher.DispatchOptions | Promise<Dispatcher.DispatchOptions>
  /** Looks at an answer. True: nothing is wrong with the token, and the request is to be sent once more. */
  learn(request: Dispatcher.DispatchOptions, statusCode: number, headers: AnswerHeaders): boolean
}

/** RFC 6750 §2.1: the token is all that is needed. */
export const bearer: Scheme = {
  present: (request, { accessToken }) => withHeaders(request, { authorization: `Bearer ${accessToken}` }),
  learn: () => false,
}
