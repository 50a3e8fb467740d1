import type { webcrypto } from 'node:crypto'
import {
  boolean,
  clock,
  dispatcher,
  fraction,
  milliseconds,
  oneOf,
  optional,
  parseOptions as parseDeclared,
  pem,
  takeOptions,
  text,
  url,
  withDefault,
  type Declares,
} from 'declared-options'
import type { Dispatcher } from 'undici'
import { credentialOptions, type TlsSource } from 'oauth-issuer-connection'
import type { InterceptorOptions } from '../call/interceptors.js'
import type { ApiBase } from '../call/locate-call.js'
import { InvalidOptionError } from '../errors.js'
import type { Lifetimes } from '../token.js'
import { apiOf, apiOption, targetWith, type ApiSettings } from './api-option.js'
import { baseOf, tlsOf } from './connection-options.js'
import { providedCertificate } from './credential-options.js'
import { dpopKeyOf, dpopOption } from './dpop-option.js'
import { interceptorsOption } from './interceptor-options.js'
import { issuerOf, type IssuerSettings } from './issuer-options.js'
import type { CommonOptions, TokenClientOptions, TokenSourceOptions } from './options.js'
import { toError } from './place.js'
import { profiles, type ProfileName } from './profiles.js'
import { sharingOf, tokenStoreOption, type SharingSettings } from './sharing-options.js'
import { targetDeclaration, targetOf, type TargetOptions } from './target-options.js'
import { tokenSourceOf, tokenSourceOption, type TokenSource } from './token-source-option.js'

/** The validated options, with defaults for unset options. */
export interface Settings {
  readonly name: string
  readonly base: ApiBase
  /** The source of tokens. */
  readonly origin: IssuerSettings | TokenSource
  /** The scopes, resources and parameters of the client's tokens. */
  readonly target: TargetOptions
  readonly api: ApiSettings | undefined
  readonly dpop: (() => Promise<webcrypto.CryptoKeyPair>) | undefined
  readonly tls: TlsSource
  readonly lifetimes: Lifetimes
  readonly issuerTimeoutMs: number
  readonly dispatcher: Dispatcher | undefined
  readonly interceptors: InterceptorOptions
  readonly sharing: SharingSettings | undefined
  readonly now: () => number
  /**
   * Returns a random number from 0 to 1, so that many processes do not renew their tokens at the same time. Tests
   * replace this function.
   */
  readonly random: () => number
}

const commonDeclaration = {
  ...targetDeclaration,
  api: optional(apiOption),
  tokens: optional(oneOf(['shared', 'per-operation'])),
  baseUrl: url({ plain: true, example: 'https://receipts.example.com' }),
  ca: optional(pem('certificate')),
  renewAfter: withDefault(fraction(), 0.8),
  issuerTimeoutMs: withDefault(milliseconds({ min: 1, max: 120_000 }), 5_000),
  allowInsecureHttp: withDefault(boolean(), false),
  dispatcher: optional(dispatcher<Dispatcher>()),
  interceptors: withDefault(interceptorsOption, {}),
  clock: withDefault(clock(), Date.now),
} satisfies Declares<CommonOptions>

const issuerDeclaration = {
  issuer: optional(url({ plain: true })),
  metadataUrl: optional(url({ example: 'https://login.example.com/.well-known/openid-configuration' })),
  tokenEndpoint: optional(url({ example: 'https://login.example.com/token' })),
  profile: withDefault(oneOf(Object.keys(profiles) as ProfileName[]), 'rfc9068'),
  ...credentialOptions,
  clientId: optional(text('the client id registered with the authorization server')),
  certificate: optional(providedCertificate),
  certificateFile: optional(text('the path of a file')),
  privateKeyFile: optional(text('the path of a file')),
  clientAssertionFile: optional(text('the path of a file')),
  clientAssertionType: optional(text('an absolute URI (RFC 7521 §4.2)', /^[A-Za-z][A-Za-z0-9+.-]*:\S+$/)),
  onBehalfOfGrant: optional(oneOf(['token_exchange', 'jwt_bearer'])),
  dpop: withDefault(dpopOption, false),
  issuerDispatcher: optional(dispatcher<Dispatcher>()),
  tokenStore: optional(tokenStoreOption),
} satisfies Declares<Omit<TokenClientOptions, keyof CommonOptions>>

const declaration = {
  ...commonDeclaration,
  ...issuerDeclaration,
  tokenSource: optional(tokenSourceOption),
}

/**
 * Validates the options and adds the defaults. Error messages never contain secrets.
 * @param ignored the names of options that the caller has already read
 * @throws {InvalidOptionError} if an option is invalid. The message contains the option's name, the received value and
 * the expected value
 */
export function parseOptions(
  options: TokenClientOptions | TokenSourceOptions,
  name: string,
  ignored: readonly string[] = [],
): Settings {
  const context = { toError, subject: 'createTokenClient', ignored }
  const own = takeOptions(options, context)
  refuseRegisterOptions(own, ignored)
  const given = parseDeclared(own, declaration, context)
  const profile = profiles[given.profile]
  const api = apiOf(given, own, profile)
  const target = targetOf(targetWith(api, given, profile))
  return Object.freeze({
    name,
    base: baseOf(given.baseUrl),
    origin: tokenSourceOf(given, options, Object.keys(issuerDeclaration)) ?? issuerOf(given, target, profile),
    target,
    api,
    dpop: dpopKeyOf(given),
    tls: tlsOf(given),
    lifetimes: { renewAfter: given.renewAfter, skewMs: 30_000 },
    issuerTimeoutMs: given.issuerTimeoutMs,
    dispatcher: given.dispatcher,
    interceptors: given.interceptors,
    sharing: sharingOf(given.tokenStore),
    now: given.clock,
    random: Math.random,
  })
}

/** Throws if `createTokenClient` receives options that only the plugin supports. */
function refuseRegisterOptions(options: object, ignored: readonly string[]): void {
  for (const name of ['name', 'prefetch'])
    if (!ignored.includes(name) && Object.hasOwn(options, name))
      throw new InvalidOptionError(
        `option \`${name}\` is only for \`register\`; leave it out of createTokenClient`,
      )
}
