import type { Dispatcher } from 'undici'
import type { Token } from '../token.js'
import type { Replayable } from './replayable-body.js'

/** Provides tokens, and records whether the API accepts them. */
export interface TokenSupply {
  readonly getToken: () => Token | Promise<Token>
  /** Records that the API accepted the token. Any response status other than 401 counts as acceptance. */
  readonly accept: (token: Token) => void
  /** Discards a rejected token. Returns false if no other token may be requested now. */
  readonly invalidate: (token: Token) => boolean
}

/** How many times a call may still be retried, counted separately for each reason. */
interface Attempts {
  /** The number of remaining retries with a different token. */
  readonly renewals: number
  /** The number of remaining retries with a DPoP nonce from the API (RFC 9449 §9). */
  readonly nonces: number
}

/** A call is retried at most once with a different token and at most once with a DPoP nonce. */
export const attemptsPerCall: Attempts = { renewals: 1, nonces: 1 }

/** A request that was sent with a token. */
export interface SentRequest {
  readonly body: Replayable
  readonly token: Token
  readonly left: Attempts
}

/** The request to retry after a 401 response. */
export interface Resend {
  readonly request: Dispatcher.DispatchOptions
  readonly token: Token
  readonly left: Attempts
}

/**
 * Decides whether a request is retried after a 401 response. If the result is undefined, the request is not retried,
 * and the caller receives the 401 response. The promise never rejects.
 * @param wantsNonce true if the API accepts the token but requires a nonce in the DPoP proof
 */
export type UnauthorizedPolicy = (
  sent: SentRequest,
  wantsNonce: boolean,
) => Promise<Resend | undefined> | undefined

/**
 * Creates the policy for 401 responses (RFC 6750 §3.1). The policy discards the rejected token. If the body can be sent
 * again and the call has retries left, the policy requests a different token and retries the call.
 * @param onRefused called for each rejected token. `replayed` is true if the call can be sent again
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
      return undefined // If no different token is available, the caller receives the 401 response instead of this error.
    }
  }
}

function resendWithNonce({ body, token, left }: SentRequest): Promise<Resend> | undefined {
  const request = body.again()
  return request && Promise.resolve({ request, token, left: { ...left, nonces: left.nonces - 1 } })
}
