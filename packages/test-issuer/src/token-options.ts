import { X509Certificate } from 'node:crypto'
import { types } from 'node:util'
import { isObject, optional, parser, text, withDefault, type Declares } from 'declared-options'
import type { Profile, TokenContent } from './issue/profile.js'
import type { TokenShape } from './issue/sign-token.js'
import { audienceOption, jsonObject, readOptions, scopesOption, usableBy, wrong } from './read-options.js'

/** Options of a token. */
export interface TokenOptions extends TokenShape {
  /** The audience of the token. Default: the issuer's `audience`. An audience is required, except with the profile `cognito`. */
  audience?: string | readonly string[]
  /** Default: none. */
  scopes?: readonly string[]
  /** The user on whose behalf the client acts. By default, there is no user, and the client acts on its own behalf. */
  subject?: string
  /** Default `test-client`. */
  clientId?: string
  /**
   * The time in milliseconds until the token expires. If the number is negative, the token has already expired.
   * Default: the issuer's `expiresInMs`.
   */
  expiresInMs?: number
}

const declaration = {
  audience: optional(audienceOption),
  scopes: withDefault(scopesOption, []),
  subject: optional(text('the name of a user')),
  clientId: withDefault(text('the id of a client'), 'test-client'),
  expiresInMs: optional(
    parser({
      expected: 'a number of milliseconds from -1e12 to 1e12',
      read: value => (typeof value === 'number' && Math.abs(value) <= 1e12 ? value : undefined),
    }),
  ),
  // The contents of `claims` and `header` are not validated, so that tests can create invalid tokens.
  claims: optional(jsonObject('an object with claims that JSON can represent')),
  header: optional(jsonObject('an object with header parameters that JSON can represent')),
  dpopKey: optional(
    parser({
      expected: 'a public key: a KeyObject, a CryptoKey or a JWK',
      read: value => (isPublicKey(value) ? value : undefined),
    }),
  ),
  certificate: optional(
    usableBy(
      (given: X509Certificate | string) =>
        given instanceof X509Certificate ? given : new X509Certificate(given),
      'an X.509 certificate in PEM or DER',
    ),
  ),
} satisfies Declares<TokenOptions>

function isPublicKey(value: unknown): boolean {
  return types.isKeyObject(value) || types.isCryptoKey(value) || (isObject(value) && 'kty' in value)
}

/** The content and the lifetime of a token. */
type Content = Omit<TokenContent, 'issuer' | 'issuedAt' | 'expiresAt'> & { readonly expiresInMs: number }

/** @throws {TypeError} if an option is unknown or invalid, or if the token would have no audience */
export function readTokenOptions(
  options: TokenOptions,
  issuer: { readonly audience: readonly string[]; readonly profile: Profile; readonly expiresInMs: number },
): Content {
  const given = readOptions('token()', options, declaration)
  const { scopes, subject, clientId, expiresInMs = issuer.expiresInMs } = given
  const audience = given.audience ?? issuer.audience
  if (audience.length === 0 && issuer.profile.audienceClaim === 'aud')
    throw wrong('token()', 'the token has no audience; pass an audience to token() or createTestIssuer()')
  return { audience, scopes, subject, clientId, expiresInMs }
}
