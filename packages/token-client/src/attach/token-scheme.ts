import type { Dispatcher } from 'undici'
import type { Token } from '../token.js'
import { withHeaders } from './with-headers.js'

/** The response headers in the form that undici passes to handlers. */
export type AnswerHeaders = Parameters<NonNullable<Dispatcher.DispatchHandler['onResponseStart']>>[2]

/** An HTTP authentication scheme (RFC 9110 §11.1), which adds a token to requests and reads response headers. */
export interface TokenScheme {
  /** Returns a copy of the request with the token in the `Authorization` header. */
  present(
    request: Dispatcher.DispatchOptions,
    token: Token,
  ): Dispatcher.DispatchOptions | Promise<Dispatcher.DispatchOptions>
  /**
   * Reads the response headers. Returns true if the token is valid but the request must be sent again, for example with
   * a DPoP nonce.
   */
  learn(request: Dispatcher.DispatchOptions, statusCode: number, headers: AnswerHeaders): boolean
}

/** RFC 6750 §2.1. */
export const bearer: TokenScheme = {
  present: (request, { accessToken }) => withHeaders(request, { authorization: `Bearer ${accessToken}` }),
  learn: () => false,
}
