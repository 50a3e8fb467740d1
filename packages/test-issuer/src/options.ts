import type { ClientAssertionRules, ClientRegistration } from './clients/registration.js'
import type { Profile, ProfileName } from './issue/profile.js'
import { profiles } from './issue/profiles.js'
import { signingAlgorithms, type SigningAlgorithm } from './issue/key-pairs.js'
import { refuseUnknownNames, show } from './known-names.js'

/** Options of {@link createTestIssuer}. All are optional. */
export interface TestIssuerOptions {
  /** Whose tokens and paths to imitate. Default `rfc9068`. */
  profile?: ProfileName
  /** The audience of tokens whose options name none. */
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

const known = [
  'profile',
  'audience',
  'clients',
  'algorithm',
  'expiresInMs',
  'clientAssertions',
  'port',
  'listen',
  'origin',
  'clock',
]

const defaults = {
  profile: 'rfc9068',
  audience: [],
  clients: [],
  expiresInMs: 300_000,
  clientAssertions: 'rfc7523',
  port: 0,
  listen: true,
  origin: 'https://issuer.test',
  clock: Date.now,
} as const

/** @throws {TypeError} with the option's name, the value received and the value expected */
export function parseOptions(options: TestIssuerOptions): Settings {
  refuseUnknownNames('createTestIssuer()', options, known)
  const given = { ...defaults, ...withoutUndefined(options) }
  if (!Object.hasOwn(profiles, given.profile))
    throw wrong('profile', given.profile, `one of ${Object.keys(profiles).join(', ')}`)
  const profile = profiles[given.profile]
  const settings = {
    ...given,
    profile,
    audience: [given.audience].flat(),
    algorithm: given.algorithm ?? profile.algorithm,
  }
  check(settings)
  refuseOptionsWithoutEffect(options, settings)
  return settings
}

/** An undefined option counts as absent, so an unset variable can be passed on. */
function withoutUndefined(options: TestIssuerOptions): TestIssuerOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}

function check(settings: Settings): void {
  const { algorithm, audience, clientAssertions, clients, clock, expiresInMs, listen, origin, port } =
    settings
  const rows: [option: keyof Settings, fits: boolean, wants: string][] = [
    ['algorithm', signingAlgorithms.includes(algorithm), `one of ${signingAlgorithms.join(', ')}`],
    [
      'audience',
      audience.every(uri => typeof uri === 'string' && uri !== ''),
      'the identifier of an API, or several',
    ],
    ['clients', Array.isArray(clients), 'a list'],
    ['expiresInMs', Number.isFinite(expiresInMs) && expiresInMs >= 1000, 'milliseconds, at least 1000'],
    ['clientAssertions', ['rfc7523', 'rfc10070'].includes(clientAssertions), 'rfc7523 or rfc10070'],
    ['port', Number.isInteger(port) && port >= 0 && port < 65_536, 'a port number'],
    ['listen', typeof listen === 'boolean', 'true or false'],
    [
      'origin',
      URL.canParse(origin) && new URL(origin).origin === origin,
      'an origin such as https://issuer.test, without a path',
    ],
    ['clock', typeof clock === 'function', 'a function that gives milliseconds'],
  ]
  for (const [option, fits, wants] of rows) if (!fits) throw wrong(option, settings[option], wants)
  const time: unknown = clock()
  if (!Number.isFinite(time))
    throw new TypeError(
      `oauth-test-issuer: option \`clock\` is a function that returns ${String(time)}; it wants milliseconds since the epoch`,
    )
}

/** A test that sets an option expects an effect. */
function refuseOptionsWithoutEffect({ port, origin }: TestIssuerOptions, { listen }: Settings): void {
  if (!listen && port !== undefined)
    throw new TypeError('oauth-test-issuer: option `port` does nothing with `listen: false`')
  if (listen && origin !== undefined)
    throw new TypeError('oauth-test-issuer: option `origin` does nothing without `listen: false`')
}

function wrong(option: string, got: unknown, wants: string): TypeError {
  const shown = typeof got === 'object' ? JSON.stringify(got) : show(got)
  return new TypeError(`oauth-test-issuer: option \`${option}\` is ${shown}; it wants ${wants}`)
}
