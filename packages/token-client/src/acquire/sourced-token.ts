import { isObject, kindOf, show } from 'declared-options'
import { isAccessToken, type TokenAnswer } from './ask-for-token.js'
import { expiryOf } from './grants.js'
import { TokenRequestFailure } from './token-request-failure.js'

/** The maximum length of a token in characters, equal to the size limit of token responses. */
const longestToken = 65_536

/** Validates the result of the user's `tokenSource` function. Failure messages never contain a token. */
export function readSourcedToken(returned: unknown, requestedAt: number): TokenAnswer | TokenRequestFailure {
  if (!isObject(returned)) return unusable(kindOf(returned))
  const { accessToken, expiresIn } = returned
  if (typeof accessToken !== 'string')
    return unusable(`${show(returned)}, whose accessToken is ${kindOf(accessToken)}`)
  if (accessToken.length > longestToken)
    return unusable(
      `a token that is ${accessToken.length} characters long; the maximum is ${longestToken} characters`,
    )
  if (!isAccessToken(accessToken))
    return unusable(
      'a token that is empty or contains characters that RFC 6749 Appendix A.12 does not allow, such as a line break at the end',
    )
  // A space usually means that the token was returned with a `Bearer` prefix. RFC 6750 §2.1 does not allow spaces in tokens.
  if (accessToken.includes(' '))
    return unusable('a token that contains a space; return the token without a prefix such as Bearer')
  if (expiresIn !== undefined && (typeof expiresIn !== 'number' || Number.isNaN(expiresIn)))
    return unusable(`expiresIn as ${Number.isNaN(expiresIn) ? 'NaN' : kindOf(expiresIn)}`)
  const lifetime = expiresIn ?? lifetimeOf(accessToken, requestedAt)
  if (lifetime !== undefined && lifetime <= 0) return unusable('an expired token')
  return { accessToken, requestedAt, expiresIn: lifetime, scope: undefined }
}

/** Returns the remaining lifetime of a JWT in seconds, based on its `exp` claim. */
function lifetimeOf(token: string, requestedAt: number): number | undefined {
  const expiresAt = expiryOf(token)
  return expiresAt === undefined ? undefined : (expiresAt - requestedAt) / 1000
}

function unusable(what: string): TokenRequestFailure {
  return new TokenRequestFailure(
    `tokenSource returned ${what}; expected { accessToken: text, expiresIn: seconds }`,
  )
}
