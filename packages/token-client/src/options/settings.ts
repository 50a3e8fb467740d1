import type { webcrypto } from 'node:crypto'
import type { Dispatcher } from 'undici'
import type { ClientCredentials } from '../authenticate/client-authentication.js'
import type { InterceptorOptions } from '../call/interceptors.js'
import { kindOf } from '../call/check-arguments.js'
import type { ApiBase } from '../call/locate-call.js'
import { InvalidOptionError } from '../errors.js'
import type { Lifetimes } from '../token.js'
import {
  parseBase,
  parseServer,
  parseTls,
  type ServerSettings,
  type TlsSettings,
} from './connection-options.js'
import { parseCredentials } from './credential-options.js'
import { parseDpop } from './dpop-option.js'
import { parseInterceptors } from './interceptor-options.js'
import { refuseUnknownOptions } from './known-options.js'
import type { TokenClientOptions } from './options.js'
import { profiles, type OnBehalfOfGrant, type ProfileName } from './profiles.js'
import {
  dispatcher,
  fraction,
  milliseconds,
  missing,
  numbers,
  oneOf,
  text,
  type Given,
} from './read-option.js'
import { parseSharing, type SharingSettings } from './sharing-options.js'
import { parseParameters, type TargetOptions } from './target-options.js'

/** Every option, checked, with its default. */
export interface Settings extends ServerSettings {
  readonly name: string
  readonly base: ApiBase
  readonly clientId: string
  readonly credentials: ClientCredentials
  /** What the token is asked for, as it was given, and as parameters of the request. */
  readonly target: TargetOptions
  readonly parametersOf: (target: TargetOptions) => readonly (readonly [string, string])[]
  readonly onBehalfOfGrant: OnBehalfOfGrant
  readonly dpop: (() => Promise<webcrypto.CryptoKeyPair>) | undefined
  readonly tls: TlsSettings
  readonly lifetimes: Lifetimes
  readonly issuerTimeoutMs: number
  readonly dispatcher: Dispatcher | undefined
  readonly issuerDispatcher: Dispatcher | undefined
  readonly interceptors: InterceptorOptions
  readonly sharing: SharingSettings | undefined
  readonly now: () => number
  /** A number from 0 to 1: spreads the renewals of many processes. No option; tests replace it. */
  readonly random: () => number
}

/**
 * Checks the options and fills in the defaults. No message holds a secret.
 * @throws {InvalidOptionError} naming the option, what it got, and what it wants
 */
export function parseOptions(options: TokenClientOptions, name: string): Settings {
  if (typeof options !== 'object' || options === null)
    throw new InvalidOptionError(`createTokenClient wants an object of options, not ${kindOf(options)}`)
  const given = options as unknown as Given
  refuseUnknownOptions(given)
  const profile = profiles[oneOf(given, 'profile', Object.keys(profiles) as ProfileName[], 'rfc9068')]
  const { scopes, resource, audience, parameters } = options
  const target = { scopes, resource, audience, parameters } as TargetOptions
  const settings: Settings = {
    name,
    ...parseServer(given),
    base: parseBase(given),
    clientId:
      text(given, 'clientId') ??
      missing('clientId', 'the identifier of this client at the authorization server'),
    credentials: parseCredentials(given, profile),
    target,
    parametersOf: wanted => parseParameters(wanted as unknown as Given, profile),
    onBehalfOfGrant: oneOf(given, 'onBehalfOfGrant', ['token_exchange', 'jwt_bearer'], profile.onBehalfOf),
    dpop: parseDpop(given),
    tls: parseTls(given),
    lifetimes: { renewAfter: fraction(given, 'renewAfter', 0.8), skewMs: 30_000 },
    issuerTimeoutMs: milliseconds(given, 'issuerTimeoutMs', 5_000),
    dispatcher: dispatcher(given, 'dispatcher'),
    issuerDispatcher: dispatcher(given, 'issuerDispatcher'),
    interceptors: parseInterceptors(given),
    sharing: parseSharing(given),
    now: numbers(given, 'clock', 'milliseconds since the epoch', Number.isFinite) ?? Date.now,
    random: Math.random,
  }
  settings.parametersOf(target) // what is wrong with it shows now, not with the first call
  return Object.freeze(settings)
}
