import type { Dispatcher } from 'undici'
import type { Token } from '../token.js'
import { withHeaders } from './with-headers.js'

/** The response headers in the form that undici passes to handlers. */
export type AnswerHeaders = Parameters<NonNullable<Dispatcher.DispatchHandler['onResponseStart']>>[2]

/** An authentication scheme (RFC 9110 §11.1). It adds a token to a request and reads the response headers. */
export interface TokenScheme {
  /** Returns a copy of the request with the token in `Authorization`. */
  present(
    request: Dispatcher.DispatchOptions,
    token: Token,
  ): Dispatcher.DispatchOptions | Promise<Dispatcher.DispatchOptions>
  /**
   * Reads the response headers. Returns true if the token is valid but the request must be sent again, such as with a
   * DPoP nonce.
   */
  learn(request: Dispatcher.DispatchOptions, statusCode: number, headers: AnswerHeaders): boolean
}

/** RFC 6750 §2.1. */
export const bearer: TokenScheme = {
  present: (request, { accessToken }) => withHeaders(request, { authorization: `Bearer ${accessToken}` }),
  learn: () => false,
}
