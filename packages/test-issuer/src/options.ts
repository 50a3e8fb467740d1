import type { ClientRegistration } from './clients.js'
import { profiles, type Profile, type ProfileName } from './issue/profiles.js'
import type { SigningAlgorithm } from './issue/signing-keys.js'
import { refuseUnknownNames, show } from './known-names.js'

/** What {@link createTestIssuer} takes; everything may be left out. */
export interface TestIssuerOptions {
  /** Whose tokens and paths to imitate. Default `rfc9068`. */
  profile?: ProfileName
  /** The audience of tokens that name none of their own. */
  audience?: string | readonly string[]
  /** Clients that the token endpoint knows from the start. */
  clients?: readonly ClientRegistration[]
  /** What to sign with. Default: the profile's; ES256 keys are made in a millisecond, RSA keys take tenths of a second. */
  algorithm?: SigningAlgorithm
  /** Token lifetime in milliseconds, at least 1000. Default 300000. */
  expiresInMs?: number
  /** The loopback port. Default: a free one. */
  port?: number
  /** `false`: no socket at all; requests come through `fetch` or `dispatcher`. Default true. */
  listen?: boolean
  /** The origin that the issuer goes by when it doesn't listen. Default `https://issuer.test`. */
  origin?: string
  /** Milliseconds since the epoch. Default `Date.now`; `clock` of the issuer moves relative to it. */
  clock?: () => number
}

/** Every option, checked, with its default. */
export interface Settings {
  readonly profile: Profile
  readonly audience: readonly string[]
  readonly clients: readonly ClientRegistration[]
  readonly algorithm: SigningAlgorithm
  readonly expiresInMs: number
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
  'port',
  'listen',
  'origin',
  'clock',
]
const algorithms = ['ES256', 'ES384', 'ES512', 'EdDSA', 'RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512']

const defaults = {
  profile: 'rfc9068',
  audience: [],
  clients: [],
  expiresInMs: 300_000,
  port: 0,
  listen: true,
  origin: 'https://issuer.test',
  clock: Date.now,
} as const

/** @throws {TypeError} naming the option, what it got and what it wants */
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
  refuseInert(options, settings)
  return settings
}

/** An option that is undefined, as a variable that is not set, counts as left out. */
function withoutUndefined(options: TestIssuerOptions): TestIssuerOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}

function check(settings: Settings): void {
  const { algorithm, audience, clients, clock, expiresInMs, listen, origin, port } = settings
  const rows: [option: keyof Settings, fits: boolean, wants: string][] = [
    ['algorithm', algorithms.includes(algorithm), `one of ${algorithms.join(', ')}`],
    [
      'audience',
      audience.every(uri => typeof uri === 'string' && uri !== ''),
      'the identifier of an API, or several',
    ],
    ['clients', Array.isArray(clients), 'a list'],
    ['expiresInMs', Number.isFinite(expiresInMs) && expiresInMs >= 1000, 'milliseconds, at least 1000'],
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

/** What does nothing would be missed by the test that gave it. */
function refuseInert({ port, origin }: TestIssuerOptions, { listen }: Settings): void {
  if (!listen && port !== undefined)
    throw new TypeError('oauth-test-issuer: option `port` does nothing with `listen: false`')
  if (listen && origin !== undefined)
    throw new TypeError('oauth-test-issuer: option `origin` does nothing without `listen: false`')
}

function wrong(option: string, got: unknown, wants: string): TypeError {
  const shown = typeof got === 'object' ? JSON.stringify(got) : show(got)
  return new TypeError(`oauth-test-issuer: option \`${option}\` is ${shown}; it wants ${wants}`)
}
