import type { OnBehalfOfGrant } from '../options/profiles.js'
import type { AskForToken } from './ask-for-token.js'
import { TokenRequestFailure } from './token-request-failure.js'

/** An authorization grant and its parameters in the token request. */
export interface Grant {
  /** `client_credentials`, or the URN of an extension grant (RFC 6749 §4.5). */
  readonly grantType: string
  readonly parameters: readonly (readonly [string, string])[]
}

/** RFC 6749 §4.4. */
export const clientCredentials: Grant = { grantType: 'client_credentials', parameters: [] }

/** Returns the grant that exchanges `subjectToken` for a token on behalf of its subject. */
export function onBehalfOfGrant(kind: OnBehalfOfGrant, subjectToken: string): Grant {
  if (kind === 'jwt_bearer')
    return {
      grantType: 'urn:ietf:params:oauth:grant-type:jwt-bearer', // RFC 7523 §2.1
      parameters: [
        ['assertion', subjectToken],
        ['requested_token_use', 'on_behalf_of'],
      ],
    }
  return {
    grantType: 'urn:ietf:params:oauth:grant-type:token-exchange', // RFC 8693 §2.1
    parameters: [
      ['subject_token', subjectToken],
      ['subject_token_type', 'urn:ietf:params:oauth:token-type:access_token'],
    ],
  }
}

/**
 * Limits the lifetime of exchanged tokens to the remaining lifetime of the subject token. If the subject token has
 * expired, no token is requested.
 */
export function capLifetime(ask: AskForToken, subjectToken: string, now: () => number): AskForToken {
  const endsAt = expiryOf(subjectToken)
  if (endsAt === undefined) return ask
  return async unwanted => {
    if (now() >= endsAt)
      return new TokenRequestFailure('invalid_grant', {
        permanent: true,
        description: 'the access token in the incoming request has expired',
      })
    const answer = await ask(unwanted)
    if (answer instanceof TokenRequestFailure) return answer
    const left = Math.max(0, (endsAt - answer.requestedAt) / 1000)
    return { ...answer, expiresIn: Math.min(answer.expiresIn ?? left, left) }
  }
}

/**
 * Returns the `exp` claim of a JWT in milliseconds since the epoch, without verifying the JWT. Returns undefined if the
 * token is not a JWT or has no `exp`.
 */
export function expiryOf(token: string): number | undefined {
  try {
    const { exp } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as {
      exp?: unknown
    }
    return typeof exp === 'number' ? exp * 1000 : undefined
  } catch {
    return undefined
  }
}
