import { assertionAudienceOf, type ClientCredentials } from 'oauth-issuer-connection'
import { TokenRequestFailure } from './token-request-failure.js'

/** A refused assertion may be addressed to the wrong audience: servers differ, and their errors do not say so. */
export function withAudienceHint(
  failure: TokenRequestFailure,
  credentials: ClientCredentials,
): TokenRequestFailure {
  const audience = assertionAudienceOf(credentials)
  if (failure.error !== 'invalid_client' || audience === undefined) return failure
  const [used, other] =
    audience === 'issuer'
      ? ['the issuer', "'token_endpoint' (servers that predate RFC 10070 expect it)"]
      : ['the token endpoint', "'issuer' (RFC 10070)"]
  const hint = `the assertion's audience was ${used}; if key and client id are right, try \`assertionAudience\`: ${other}`
  const { permanent, description, retryAfterMs } = failure
  return new TokenRequestFailure(failure.error, {
    permanent,
    retryAfterMs,
    description: description === undefined ? hint : `${description}; ${hint}`,
  })
}
