import { assertionAudienceOf, type ClientCredentials } from 'oauth-issuer-connection'
import { TokenRequestFailure } from './token-request-failure.js'

/**
 * Adds a hint about the option `assertionAudience` to an `invalid_client` failure, because the server's error does not
 * say which audience the server expects.
 */
export function withAudienceHint(
  failure: TokenRequestFailure,
  credentials: ClientCredentials,
): TokenRequestFailure {
  const audience = assertionAudienceOf(credentials)
  if (failure.error !== 'invalid_client' || audience === undefined) return failure
  const [usedAudience, otherAudience] =
    audience === 'issuer'
      ? ['issuer', "'token_endpoint' (for servers that predate RFC 10070)"]
      : ['token endpoint', "'issuer' (RFC 10070)"]
  const hint = `the audience of the client assertion was the ${usedAudience}; if the key and the client id are correct, try setting assertionAudience to ${otherAudience}`
  const { permanent, description, retryAfterMs } = failure
  return new TokenRequestFailure(failure.error, {
    permanent,
    retryAfterMs,
    description: description === undefined ? hint : `${description}; ${hint}`,
  })
}
