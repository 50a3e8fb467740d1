import {
  boolean,
  clock,
  count,
  milliseconds,
  oneOf,
  optional,
  parser,
  withDefault,
  type Declares,
} from 'declared-options'
import type { ClientAssertionRules, ClientRegistration } from './clients/registration.js'
import type { Profile, ProfileName } from './issue/profile.js'
import { profileNames, profiles } from './issue/profiles.js'
import { signingAlgorithms, type SigningAlgorithm } from './issue/key-pairs.js'
import { audienceOption, readOptions, wrong } from './read-options.js'

/** Options of {@link createTestIssuer}. All options are optional. */
export interface TestIssuerOptions {
  /** The kind of issuer to imitate, with its token format and endpoint paths. Default `rfc9068`. */
  profile?: ProfileName
  /** The audience of tokens for which no other audience is set. */
  audience?: string | readonly string[]
  /** The clients to register at startup. */
  clients?: readonly ClientRegistration[]
  /**
   * The signature algorithm. Default: the profile's algorithm. Generating an RSA key takes a few tenths of a second.
   * Generating any other key takes about a millisecond.
   */
  algorithm?: SigningAlgorithm
  /** The token lifetime in milliseconds, at least 1000. The lifetime is rounded down to whole seconds. Default 300000. */
  expiresInMs?: number
  /**
   * The rules for client assertions. With `rfc10070`, the issuer must be the only audience, and the `typ` header must
   * be `client-authentication+jwt`. With `rfc7523`, the audience may also be the token endpoint, as Entra ID and Okta
   * require. Default `rfc7523`.
   */
  clientAssertions?: ClientAssertionRules
  /** The port on 127.0.0.1. Default: a free port. */
  port?: number
  /** Whether to open a socket. Without a socket, send requests with the issuer's `fetch` or `dispatcher`. Default true. */
  listen?: boolean
  /** The issuer's origin. Use it only with `listen: false`. Default `https://issuer.test`. */
  origin?: string
  /**
   * Returns the current time in milliseconds since the epoch. The issuer's `clock` shows this time until a test
   * advances or sets it. Default `Date.now`.
   */
  clock?: () => number
}

/** The validated options, with defaults applied. */
export interface Settings {
  readonly profile: Profile
  readonly audience: readonly string[]
  readonly clients: readonly ClientRegistration[]
  readonly algorithm: SigningAlgorithm
  readonly expiresInMs: number
  readonly clientAssertions: ClientAssertionRules
  readonly port: number
  readonly listen: boolean
  readonly origin: string
  readonly clock: () => number
}

const declaration = {
  profile: withDefault(oneOf(profileNames), 'rfc9068'),
  audience: withDefault(audienceOption, []),
  clients: withDefault(
    parser({
      expected: 'a list of registrations',
      // The cast is safe because each registration is checked when the client is registered.
      read: value => (Array.isArray(value) ? (value as readonly ClientRegistration[]) : undefined),
    }),
    [],
  ),
  algorithm: optional(oneOf(signingAlgorithms)),
  expiresInMs: withDefault(milliseconds({ min: 1_000, max: 1e12 }), 300_000),
  clientAssertions: withDefault(oneOf(['rfc7523', 'rfc10070']), 'rfc7523'),
  port: optional(count({ max: 65_535 })),
  listen: withDefault(boolean(), true),
  origin: optional(
    parser({
      expected: 'an origin such as https://issuer.test, without a path',
      fromText: true,
      read: value =>
        typeof value === 'string' && URL.canParse(value) && new URL(value).origin === value
          ? value
          : undefined,
    }),
  ),
  clock: withDefault(clock(), Date.now),
} satisfies Declares<TestIssuerOptions>

/** @throws {TypeError} if an option is invalid. The message names the option, the value received and the value expected */
export function parseOptions(options: TestIssuerOptions): Settings {
  const where = 'createTestIssuer()'
  const given = readOptions(where, options, declaration)
  // Rejects options that would have no effect, because the test that sets them is probably wrong.
  if (!given.listen && given.port !== undefined)
    throw wrong(where, 'option `port` has no effect with `listen: false`')
  if (given.listen && given.origin !== undefined)
    throw wrong(where, 'option `origin` has no effect without `listen: false`')
  const profile = profiles[given.profile]
  const { algorithm = profile.algorithm, port = 0, origin = 'https://issuer.test' } = given
  return { ...given, profile, algorithm, port, origin }
}
