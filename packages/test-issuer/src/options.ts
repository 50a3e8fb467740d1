import type { ClientRegistration } from './clients.js'
import { dialects, type Dialect, type DialectName } from './issue/dialects.js'
import type { SigningAlgorithm } from './issue/signing-keys.js'
import { refuseUnknownNames } from './known-names.js'

/** What {@link createTestIssuer} takes; everything may be left out. */
export interface TestIssuerOptions {
  /** Whose tokens and paths to imitate. Default `rfc9068`. */
  dialect?: DialectName
  /** The audience of tokens that name none of their own. */
  audience?: string | readonly string[]
  /** Clients that the token endpoint knows from the start. */
  clients?: readonly ClientRegistration[]
  /** What to sign with. Default: the dialect's; ES256 keys are made in a millisecond, RSA keys take tenths of a second. */
  algorithm?: SigningAlgorithm
  /** How long tokens live, in seconds. Default 300. */
  expiresIn?: number
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
  readonly dialect: Dialect
  readonly audience: readonly string[]
  readonly clients: readonly ClientRegistration[]
  readonly algorithm: SigningAlgorithm
  readonly expiresIn: number
  readonly port: number
  readonly listen: boolean
  readonly origin: string
  readonly clock: () => number
}

const known = [
  'dialect',
  'audience',
  'clients',
  'algorithm',
  'expiresIn',
  'port',
  'listen',
  'origin',
  'clock',
]
const algorithms = ['ES256', 'ES384', 'ES512', 'EdDSA', 'RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512']

const defaults = {
  dialect: 'rfc9068',
  audience: [],
  clients: [],
  expiresIn: 300,
  port: 0,
  listen: true,
  origin: 'https://issuer.test',
  clock: Date.now,
} as const

/** @throws {TypeError} naming the option, what it got and what it wants */
export function parseOptions(options: TestIssuerOptions): Settings {
  refuseUnknownNames('createTestIssuer()', options, known)
  const given = { ...defaults, ...options }
  if (!Object.hasOwn(dialects, given.dialect))
    throw wrong('dialect', given.dialect, `one of ${Object.keys(dialects).join(', ')}`)
  const dialect = dialects[given.dialect]
  const settings = {
    ...given,
    dialect,
    audience: [given.audience].flat(),
    algorithm: given.algorithm ?? dialect.algorithm,
  }
  check(settings)
  return settings
}

function check({ algorithm, expiresIn, port, origin }: Settings): void {
  if (!algorithms.includes(algorithm)) throw wrong('algorithm', algorithm, `one of ${algorithms.join(', ')}`)
  if (!(Number.isFinite(expiresIn) && expiresIn > 0)) throw wrong('expiresIn', expiresIn, 'seconds, above 0')
  if (!(Number.isInteger(port) && port >= 0 && port < 65_536)) throw wrong('port', port, 'a port number')
  if (!URL.canParse(origin) || new URL(origin).origin !== origin)
    throw wrong('origin', origin, 'an origin such as https://issuer.test, without a path')
}

function wrong(option: string, got: unknown, wants: string): TypeError {
  return new TypeError(`oauth-test-issuer: option \`${option}\` is ${JSON.stringify(got)}; it wants ${wants}`)
}
