import type { Dialect, TokenContent } from './issue/dialects.js'
import type { TokenShape } from './issue/sign-token.js'
import { refuseUnknownNames } from './known-names.js'

/** What a test says of a token. */
export interface TokenOptions extends TokenShape {
  /** Whom the token is for. Default: the issuer's `audience`; without either there is no token. */
  audience?: string | readonly string[]
  /** Default: none. */
  scopes?: readonly string[]
  /** The user on whose behalf the client acts. Default: the client acts for itself. */
  subject?: string
  /** Default `test-client`. */
  clientId?: string
  /** Seconds from now until the token expires. Default: the issuer's `expiresIn`. */
  expiresIn?: number
}

const known = [
  'audience',
  'scopes',
  'subject',
  'clientId',
  'expiresIn',
  'claims',
  'header',
  'dpopKey',
  'certificate',
]

/** @throws {TypeError} where an option is unknown or wrong, or the token would be for nobody */
export function readTokenOptions(
  options: TokenOptions,
  issuer: { readonly audience: readonly string[]; readonly dialect: Dialect; readonly expiresIn: number },
): Omit<TokenContent, 'issuer' | 'issuedAt' | 'expiresAt'> & { readonly expiresIn: number } {
  refuseUnknownNames('token()', options, known)
  const { scopes = [], subject, clientId = 'test-client', expiresIn = issuer.expiresIn } = options
  if (!Array.isArray(scopes))
    throw new TypeError(
      `oauth-test-issuer: token() wants scopes as a list, such as ['receipts:read'], not ${JSON.stringify(scopes)}`,
    )
  if (!Number.isFinite(expiresIn))
    throw new TypeError(`oauth-test-issuer: token() wants expiresIn in seconds, not ${String(expiresIn)}`)
  const audience = [options.audience ?? issuer.audience].flat()
  if (audience.length === 0 && issuer.dialect.audienceClaim === 'aud')
    throw new TypeError(
      'oauth-test-issuer: the token is for nobody; give audience to token(), or to createTestIssuer()',
    )
  return { audience, scopes, subject, clientId, expiresIn }
}
