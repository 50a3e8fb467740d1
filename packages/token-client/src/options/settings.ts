import type { webcrypto } from 'node:crypto'
import {
  boolean,
  callback,
  clock,
  dispatcher,
  fraction,
  milliseconds,
  oneOf,
  optional,
  parseOptions as parseDeclared,
  pem,
  secret,
  text,
  url,
  withDefault,
  type Declares,
} from 'declared-options'
import type { Dispatcher } from 'undici'
import type { ClientCredentials, ProvideContext, SignAssertion, TlsSettings } from 'oauth-issuer-connection'
import type { InterceptorOptions } from '../call/interceptors.js'
import type { ApiBase } from '../call/locate-call.js'
import { InvalidOptionError } from '../errors.js'
import type { Lifetimes } from '../token.js'
import { apiOf, apiOption, targetWith, type ApiSettings } from './api-option.js'
import { baseOf, serverOf, tlsOf, type ServerSettings } from './connection-options.js'
import {
  clientAuthenticationMethods,
  credentialsOf,
  privateKeyOption,
  providedCertificate,
} from './credential-options.js'
import { dpopKeyOf, dpopOption } from './dpop-option.js'
import { interceptorsOption } from './interceptor-options.js'
import type { TokenClientOptions } from './options.js'
import { profiles, type OnBehalfOfGrant, type ProfileName } from './profiles.js'
import { sharingOf, tokenStoreOption, type SharingSettings } from './sharing-options.js'
import { parametersOf, targetDeclaration, targetOf, type TargetOptions } from './target-options.js'

/** Every option, checked, with its default. */
export interface Settings extends ServerSettings {
  readonly name: string
  readonly base: ApiBase
  readonly clientId: string
  readonly credentials: ClientCredentials
  /** What the token is asked for, as it was given, and as parameters of the request. */
  readonly target: TargetOptions
  readonly api: ApiSettings | undefined
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

type ProvideText = (context: ProvideContext) => string | Promise<string>

const declaration = {
  ...targetDeclaration,
  api: optional(apiOption),
  tokens: optional(oneOf(['shared', 'per-operation'])),
  baseUrl: url({ plain: true, example: 'https://receipts.example.com' }),
  issuer: optional(url({ plain: true })),
  metadataUrl: optional(url({ example: 'https://login.example.com/.well-known/openid-configuration' })),
  tokenEndpoint: optional(url({ example: 'https://login.example.com/token' })),
  profile: withDefault(oneOf(Object.keys(profiles) as ProfileName[]), 'rfc9068'),
  clientId: text('the identifier of this client at the authorization server'),
  clientSecret: optional(secret<ProvideText>('text, or a function that gives it')),
  clientAuthentication: optional(oneOf(clientAuthenticationMethods)),
  privateKey: optional(privateKeyOption),
  signAssertion: optional(callback<SignAssertion>('a function that signs bytes')),
  keyId: optional(text('the id of the key')),
  keyAlgorithm: optional(text("the algorithm of the key, such as 'ES256'")),
  certificate: optional(providedCertificate),
  clientAssertion: optional(secret<ProvideText>('an assertion, or a function that gives it')),
  clientAssertionFile: optional(text('the path of a file')),
  assertionAudience: optional(oneOf(['issuer', 'token_endpoint'])),
  ca: optional(pem('certificate')),
  onBehalfOfGrant: optional(oneOf(['token_exchange', 'jwt_bearer'])),
  dpop: withDefault(dpopOption, false),
  renewAfter: withDefault(fraction(), 0.8),
  issuerTimeoutMs: withDefault(milliseconds({ min: 1, max: 120_000 }), 5_000),
  allowInsecureHttp: withDefault(boolean(), false),
  dispatcher: optional(dispatcher<Dispatcher>()),
  interceptors: withDefault(interceptorsOption, {}),
  issuerDispatcher: optional(dispatcher<Dispatcher>()),
  tokenStore: optional(tokenStoreOption),
  clock: withDefault(clock(), Date.now),
} satisfies Declares<TokenClientOptions>

const toError = (message: string): Error => new InvalidOptionError(message)

/**
 * Checks the options and fills in the defaults. No message holds a secret.
 * @param ignored names that the caller reads, and that are not for `createTokenClient`
 * @throws {InvalidOptionError} naming the option, the value received and what was expected
 */
export function parseOptions(
  options: TokenClientOptions,
  name: string,
  ignored: readonly string[] = [],
): Settings {
  refuseRegisterOptions(options, ignored)
  const given = parseDeclared(options, declaration, { toError, subject: 'createTokenClient', ignored })
  const profile = profiles[given.profile]
  const api = apiOf(given, options, profile)
  const target = targetOf(targetWith(api, given, profile))
  const wanted = (what: TargetOptions): readonly (readonly [string, string])[] => parametersOf(what, profile)
  wanted(target) // what is wrong with it shows now, not with the first call
  return Object.freeze({
    name,
    ...serverOf(given),
    base: baseOf(given.baseUrl),
    clientId: given.clientId,
    credentials: credentialsOf(given, profile),
    target,
    api,
    parametersOf: wanted,
    onBehalfOfGrant: given.onBehalfOfGrant ?? profile.onBehalfOf,
    dpop: dpopKeyOf(given),
    tls: tlsOf(given),
    lifetimes: { renewAfter: given.renewAfter, skewMs: 30_000 },
    issuerTimeoutMs: given.issuerTimeoutMs,
    dispatcher: given.dispatcher,
    issuerDispatcher: given.issuerDispatcher,
    interceptors: given.interceptors,
    sharing: sharingOf(given.tokenStore),
    now: given.clock,
    random: Math.random,
  })
}

/** They would do nothing: only the plugin decorates an instance and waits for it to be ready. */
function refuseRegisterOptions(options: unknown, ignored: readonly string[]): void {
  for (const name of ['name', 'prefetch'])
    if (!ignored.includes(name) && Object.hasOwn(options ?? {}, name))
      throw new InvalidOptionError(
        `option \`${name}\` is only for \`register\`; leave it out of createTokenClient`,
      )
}
