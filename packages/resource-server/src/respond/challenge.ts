/** The `WWW-Authenticate` values for one protection space (RFC 9110 §11.6.1, RFC 6750 §3). */
export interface Challenges {
  /** No credentials came: scheme and realm, nothing that could be read as an error. */
  readonly missing: string
  readonly invalidRequest: string
  readonly invalidToken: string
  /** @param scopes what the route demands: fixed by the application, never taken from a request */
  insufficientScope(scopes: readonly string[]): string
}

/** @param realm the protection space (RFC 9110 §11.5), or undefined to name none */
export function createChallenges(realm: string | undefined): Challenges {
  const space = realm === undefined ? [] : [`realm=${quote(realm)}`]
  const challenge = (...parameters: string[]): string =>
    `Bearer ${[...space, ...parameters].join(', ')}`.trim()
  return {
    missing: challenge(),
    invalidRequest: challenge(
      'error="invalid_request"',
      'error_description="The request must carry exactly one bearer token"',
    ),
    invalidToken: challenge('error="invalid_token"', 'error_description="The access token is invalid"'),
    insufficientScope: scopes =>
      challenge(
        'error="insufficient_scope"',
        'error_description="The access token does not have the required scope"',
        `scope=${quote(scopes.join(' '))}`,
      ),
  }
}

/** RFC 9110 §5.6.4. */
function quote(text: string): string {
  return `"${text.replaceAll(/["\\]/g, String.raw`\$&`)}"`
}
