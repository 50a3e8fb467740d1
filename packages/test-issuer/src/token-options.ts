import type { Profile, TokenContent } from './issue/profile.js'
import type { TokenShape } from './issue/sign-token.js'
import { isScope, isText, refuseUnknownNames, show } from './known-names.js'

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
  /** Milliseconds until the token expires; negative for a token that expired in the past. Default: the issuer's `expiresInMs`. */
  expiresInMs?: number
}

const known = [
  'audience',
  'scopes',
  'subject',
  'clientId',
  'expiresInMs',
  'claims',
  'header',
  'dpopKey',
  'certificate',
]

/** What a token says, and how long it lives. */
type Content = Omit<TokenContent, 'issuer' | 'issuedAt' | 'expiresAt'> & { readonly expiresInMs: number }

/** @throws {TypeError} where an option is unknown or wrong, or the token would be for nobody */
export function readTokenOptions(
  options: TokenOptions,
  issuer: { readonly audience: readonly string[]; readonly profile: Profile; readonly expiresInMs: number },
): Content {
  refuseUnknownNames('token()', options, known)
  const { scopes = [], subject, clientId = 'test-client', expiresInMs = issuer.expiresInMs } = options
  const audience = [options.audience ?? issuer.audience].flat()
  check({ audience, scopes, subject, clientId, expiresInMs })
  if (audience.length === 0 && issuer.profile.audienceClaim === 'aud')
    throw new TypeError(
      'oauth-test-issuer: the token is for nobody; give audience to token(), or to createTestIssuer()',
    )
  return { audience, scopes, subject, clientId, expiresInMs }
}

/** What is wrong on purpose goes into `claims`. */
function check({ audience, scopes, subject, clientId, expiresInMs }: Required<Content>): void {
  const rows: [value: unknown, fits: boolean, wants: string][] = [
    [audience, audience.every(isText), 'audience as the identifier of an API, or several'],
    [scopes, Array.isArray(scopes), "scopes as a list, such as ['receipts:read']"],
    [subject, subject === undefined || isText(subject), 'subject as text'],
    [clientId, isText(clientId), 'clientId as text'],
    [expiresInMs, Number.isFinite(expiresInMs), 'expiresInMs in milliseconds'],
  ]
  for (const [value, fits, wants] of rows)
    if (!fits) throw new TypeError(`oauth-test-issuer: token() wants ${wants}, not ${show(value)}`)
  for (const scope of scopes)
    if (!isScope(scope))
      throw new TypeError(
        `oauth-test-issuer: token() wants one scope for each member of scopes, without spaces, not ${show(scope)}`,
      )
}
