import { contain, instance, takeOptions } from 'declared-options'
import type { TSchema } from 'typebox'
import { InvalidOptionError } from '../errors.js'
import { silent, type Logger } from '../log.js'
import type { Scope } from '../oauth-types.js'
import { parseOptions, type Recipient, type ResourceServerOptions, type Settings } from './options.js'
import type { ScopeHierarchy } from './scopes-option.js'

/** The options for routes, requests and responses. `createVerifier` does not support them. */
type RequestOption = Extract<
  keyof ResourceServerOptions,
  | 'mode'
  | 'problemDetails'
  | 'defaultAccess'
  | 'dpop'
  | 'clientCertificate'
  | 'resourceMetadata'
  | 'securityScheme'
  | 'realm'
>

const requestOptions: readonly string[] = [
  'mode',
  'problemDetails',
  'defaultAccess',
  'dpop',
  'clientCertificate',
  'resourceMetadata',
  'securityScheme',
  'realm',
] satisfies readonly RequestOption[]

/** The options that the plugin and `createVerifier` share. */
type SharedOptions = Omit<ResourceServerOptions, RequestOption | 'scopes' | 'claims'>

/**
 * The options of `createVerifier`. They are the plugin's options, except the options for routes, requests and
 * responses.
 */
export interface VerifierOptions<
  S extends string = Scope,
  C extends TSchema = TSchema,
  Scopes = readonly S[] | ScopeHierarchy<S>,
> extends SharedOptions {
  /**
   * All scopes that a rule passed to `verify` may require, in addition to the scopes of `api`. If the value is an
   * object, it maps each scope to the scopes that it includes.
   */
  scopes?: Scopes
  /**
   * A JSON Schema that the claims must match, such as `Type.Object({ tenant: Type.String() })`. Tokens that do not
   * match are refused.
   */
  claims?: C
  /** A logger, such as a pino logger, for refused tokens and failed requests to issuers. Default: nothing is logged. */
  logger?: Logger
}

const recipient: Recipient = { subject: 'createVerifier', ignored: ['logger'] }

/**
 * @throws {InvalidOptionError} if an option is invalid. The message contains the option, the value received and the
 * expected value
 */
export function parseVerifierOptions<S extends string, C extends TSchema>(
  options: VerifierOptions<S, C>,
): { readonly settings: Settings; readonly log: Logger } {
  const given = takeOptions(options, { toError, subject: recipient.subject })
  for (const name of Object.keys(given))
    if (requestOptions.includes(name))
      throw new InvalidOptionError(
        `option \`${name}\` applies to HTTP requests, which createVerifier does not handle; remove it`,
      )
  return { settings: parseOptions(given, recipient), log: readLogger(given['logger']) }
}

function readLogger(logger: unknown): Logger {
  if (logger === undefined) return silent
  const place = { option: 'logger', allowInsecureHttp: false, toError }
  return contain('option `logger`', place, contained => loggerOption.read(logger, contained))
}

const toError = (message: string): Error => new InvalidOptionError(message)

const loggerOption = instance<Logger>(
  ['info', 'warn', 'error'],
  'a logger with the methods info, warn and error, such as a pino logger',
)
