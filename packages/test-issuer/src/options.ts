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

/** Options of {@link createTestIssuer}. All are optional. */
export interface TestIssuerOptions {
  /** Whose tokens and paths to imitate. Default `rfc9068`. */
  profile?: ProfileName
  /** The default audience of tokens. */
  audience?: string | readonly string[]
  /** Clients that are registered from the start. */
  clients?: readonly ClientRegistration[]
  /** What to sign with. Default: the profile's algorithm. EC and Ed25519 keys take a millisecond, RSA keys tenths of a second. */
  algorithm?: SigningAlgorithm
  /** Token lifetime in milliseconds, at least 1000. Tokens expire on whole seconds, so it is rounded down. Default 300000. */
  expiresInMs?: number
  /**
   * `rfc10070` accepts only client assertions that are addressed to the issuer alone and typed
   * `client-authentication+jwt`. Default `rfc7523`: the audience may also be the token endpoint, as Entra ID and Okta
   * require.
   */
  clientAssertions?: ClientAssertionRules
  /** The loopback port. Default: a free one. */
  port?: number
  /** `false`: open no socket; requests arrive through the issuer's `fetch` or `dispatcher`. Default true. */
  listen?: boolean
  /** The issuer's origin when it does not listen. Default `https://issuer.test`. */
  origin?: string
  /** Returns milliseconds since the epoch. The issuer's `clock` moves relative to it. Default `Date.now`. */
  clock?: () => number
}

/** The options, checked and completed with defaults. */
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
      // Each is checked when it is registered.
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

/** @throws {TypeError} with the option's name, the value received and the value expected */
export function parseOptions(options: TestIssuerOptions): Settings {
  const where = 'createTestIssuer()'
  const given = readOptions(where, options, declaration)
  // A test that sets an option expects an effect.
  if (!given.listen && given.port !== undefined)
    throw wrong(where, 'option `port` does nothing with `listen: false`')
  if (given.listen && given.origin !== undefined)
    throw wrong(where, 'option `origin` does nothing without `listen: false`')
  const profile = profiles[given.profile]
  const { algorithm = profile.algorithm, port = 0, origin = 'https://issuer.test' } = given
  return { ...given, profile, algorithm, port, origin }
}
