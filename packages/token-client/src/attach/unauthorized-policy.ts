import type { Dispatcher } from 'undici'
import type { Token } from '../token.js'
import type { Replayable } from './replayable-body.js'

/** Provides tokens, and learns from the API's answers whether they work. */
export interface TokenSupply {
  readonly getToken: () => Token | Promise<Token>
  /** The API answered with a status other than 401: the token works. */
  readonly accept: (token: Token) => void
  /** Discards a refused token. Returns false if no other token may be requested now. */
  readonly invalidate: (token: Token) => boolean
}

/** How often one call may still be sent again, by reason. */
interface Attempts {
  /** With a different token. */
  readonly renewals: number
  /** With the nonce that the API requires in the proof (RFC 9449 §9); the token itself is fine. */
  readonly nonces: number
}

/** Each call is sent again at most once for each reason. */
export const attemptsPerCall: Attempts = { renewals: 1, nonces: 1 }

/** A request that was sent with a token. */
export interface SentRequest {
  readonly body: Replayable
  readonly token: Token
  readonly left: Attempts
}

/** A request that is to be sent after a 401. */
export interface Resend {
  readonly request: Dispatcher.DispatchOptions
  readonly token: Token
  readonly left: Attempts
}

/**
 * Decides what follows a 401. Undefined, at once or later: deliver the 401. The promise never rejects.
 * @param wantsNonce the API accepts the token, but requires a nonce in the proof
 */
export type UnauthorizedPolicy = (
  sent: SentRequest,
  wantsNonce: boolean,
) => Promise<Resend | undefined> | undefined

/**
 * The only place that decides about a 401 (RFC 6750 §3.1): discard the token, request a different one, and send the call
 * again, if its body can be sent again and the call has attempts left.
 * @param onRefused is told of each refused token, and whether the call will be sent again if there is a different token
 */
export function createUnauthorizedPolicy(
  { getToken, invalidate }: Pick<TokenSupply, 'getToken' | 'invalidate'>,
  onRefused: (request: Dispatcher.DispatchOptions, replayed: boolean) => void,
): UnauthorizedPolicy {
  return (sent, wantsNonce) => {
    if (wantsNonce && sent.left.nonces > 0) return resendWithNonce(sent)
    const mayRenew = invalidate(sent.token)
    const request = mayRenew && sent.left.renewals > 0 ? sent.body.again() : undefined
    onRefused(sent.body.request, request !== undefined)
    return request && resendWithDifferentToken(sent, request)
  }

  async function resendWithDifferentToken(
    { token: refused, left }: SentRequest,
    request: Dispatcher.DispatchOptions,
  ): Promise<Resend | undefined> {
    try {
      const token = await getToken()
      if (token.accessToken === refused.accessToken) return undefined
      return { request, token, left: { ...left, renewals: left.renewals - 1 } }
    } catch {
      return undefined // the caller learns of it from the 401
    }
  }
}

function resendWithNonce({ body, token, left }: SentRequest): Promise<Resend> | undefined {
  const request = body.again()
  return request && Promise.resolve({ request, token, left: { ...left, nonces: left.nonces - 1 } })
}
