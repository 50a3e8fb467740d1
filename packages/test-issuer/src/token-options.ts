import { optional, parser, text, withDefault, type Declares } from 'declared-options'
import type { Profile, TokenContent } from './issue/profile.js'
import type { TokenShape } from './issue/sign-token.js'
import { anything, audienceOption, readOptions, scopesOption, wrong } from './read-options.js'

/** Options of a token. */
export interface TokenOptions extends TokenShape {
  /** The audience of the token. Default: the issuer's `audience`; without either there is no token. */
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

const declaration = {
  audience: optional(audienceOption),
  scopes: withDefault(scopesOption, []),
  subject: optional(text('the name of a user')),
  clientId: withDefault(text('the id of a client'), 'test-client'),
  expiresInMs: optional(
    parser({
      expected: 'milliseconds',
      read: value => (typeof value === 'number' && Number.isFinite(value) ? value : undefined),
    }),
  ),
  // Deliberate mistakes go into these two.
  claims: optional(anything('claims')),
  header: optional(anything('members of the header')),
  dpopKey: optional(anything('a public key')),
  certificate: optional(anything('a certificate')),
} satisfies Declares<TokenOptions>

/** The content of a token, and its lifetime. */
type Content = Omit<TokenContent, 'issuer' | 'issuedAt' | 'expiresAt'> & { readonly expiresInMs: number }

/** @throws {TypeError} if an option is unknown or invalid, or the token has no audience */
export function readTokenOptions(
  options: TokenOptions,
  issuer: { readonly audience: readonly string[]; readonly profile: Profile; readonly expiresInMs: number },
): Content {
  const given = readOptions('token()', options, declaration)
  const { scopes, subject, clientId, expiresInMs = issuer.expiresInMs } = given
  const audience = given.audience ?? issuer.audience
  if (audience.length === 0 && issuer.profile.audienceClaim === 'aud')
    throw wrong('token()', 'the token has no audience; set `audience` here, or in createTestIssuer()')
  return { audience, scopes, subject, clientId, expiresInMs }
}
