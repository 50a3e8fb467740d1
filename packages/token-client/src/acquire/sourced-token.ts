import { isObject, kindOf, show } from 'declared-options'
import { isAccessToken, type TokenAnswer } from './ask-for-token.js'
import { expiryOf } from './grants.js'
import { TokenRequestFailure } from './token-request-failure.js'

/** As much as a token endpoint may answer with, in characters. */
const longestToken = 65_536

/** Checks what the function `tokenSource` returned. It may be anything, and no failure shows a token. */
export function readSourcedToken(returned: unknown, requestedAt: number): TokenAnswer | TokenRequestFailure {
  if (!isObject(returned)) return unusable(kindOf(returned))
  const { accessToken, expiresIn } = returned
  if (typeof accessToken !== 'string')
    return unusable(`${show(returned)}, whose accessToken is ${kindOf(accessToken)}`)
  if (accessToken.length > longestToken) return unusable(`a token of ${accessToken.length} characters`)
  if (!isAccessToken(accessToken))
    return unusable(
      'a token that is empty or has characters that RFC 6749 App. A.12 does not allow (a line break at its end?)',
    )
  // A scheme is followed by a space, which RFC 6750 §2.1 does not allow in a token.
  if (accessToken.includes(' '))
    return unusable('a token with a space in it; return the token alone, without a scheme such as Bearer')
  if (expiresIn !== undefined && (typeof expiresIn !== 'number' || Number.isNaN(expiresIn)))
    return unusable(`expiresIn as ${Number.isNaN(expiresIn) ? 'NaN' : kindOf(expiresIn)}`)
  const lifetime = expiresIn ?? lifetimeOf(accessToken, requestedAt)
  if (lifetime !== undefined && lifetime <= 0) return unusable('a token that has expired')
  return { accessToken, requestedAt, expiresIn: lifetime, scope: undefined }
}

/** In seconds, if the token is a JWT with `exp`. */
function lifetimeOf(token: string, requestedAt: number): number | undefined {
  const expiresAt = expiryOf(token)
  return expiresAt === undefined ? undefined : (expiresAt - requestedAt) / 1000
}

function unusable(what: string): TokenRequestFailure {
  return new TokenRequestFailure(
    `tokenSource returned ${what}; expected { accessToken: text, expiresIn: seconds }`,
  )
}
