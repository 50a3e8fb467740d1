import { OAuthError } from './oauth-error.js'

/**
 * The `WWW-Authenticate` challenge to send if HTTP Basic authentication failed or the client did not authenticate (RFC
 * 6749 §5.2).
 */
export const basicChallenge = { 'www-authenticate': 'Basic realm="token endpoint"' }

/** A client id and a secret. */
export type BasicCredentials = readonly [clientId: string, secret: string]

/**
 * Reads the client id and the secret from an HTTP Basic header. Both values are form-urlencoded (RFC 6749 §2.3.1). Unnecessary
 * escapes, such as `%2D` for `-`, are accepted.
 * @throws {OAuthError} invalid_client, if the header is malformed
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
      'the Basic credentials contain a % that does not begin a valid percent-encoded UTF-8 sequence; the client id and the secret must each be form-urlencoded (RFC 6749 §2.3.1)',
    )
  }
}

/** @throws {URIError} if an escape is malformed */
function formDecode(text: string): string {
  return decodeURIComponent(text.replaceAll('+', ' '))
}

function invalid(description: string): OAuthError {
  return new OAuthError('invalid_client', description, basicChallenge)
}
