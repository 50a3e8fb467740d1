import { OAuthError } from './oauth-error.js'

/** The challenge for clients that used HTTP Basic or no authentication (RFC 6749 §5.2). */
export const basicChallenge = { 'www-authenticate': 'Basic realm="token endpoint"' }

/** A client id and a secret. */
export type BasicCredentials = readonly [clientId: string, secret: string]

/**
 * Reads the client id and the secret from a Basic header. Both are form-urlencoded (RFC 6749 §2.3.1). A client may also escape
 * characters such as `-` that need no escape.
 * @throws {OAuthError} invalid_client
 */
export function readBasicCredentials(header: string): BasicCredentials {
  const [, encoded] = /^basic +([A-Za-z0-9+/=_-]+) *$/i.exec(header) ?? []
  const text = Buffer.from(encoded ?? '', 'base64').toString('utf8')
  const colon = text.indexOf(':')
  if (encoded === undefined || colon < 1)
    throw invalid('the Authorization header does not contain Basic credentials of the form id:secret')
  try {
    return [formDecode(text.slice(0, colon)), formDecode(text.slice(colon + 1))]
  } catch {
    throw invalid(
      'the client id or the secret in the Basic credentials contains an invalid percent escape; both must be form-urlencoded (RFC 6749 §2.3.1)',
    )
  }
}

/** @throws {URIError} for a malformed escape */
function formDecode(text: string): string {
  return decodeURIComponent(text.replaceAll('+', ' '))
}

function invalid(description: string): OAuthError {
  return new OAuthError('invalid_client', description, basicChallenge)
}
