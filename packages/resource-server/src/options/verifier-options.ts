import { contain, instance, takeOptions } from 'declared-options'
import type { TSchema } from 'typebox'
import { InvalidOptionError } from '../errors.js'
import { silent, type Logger } from '../log.js'
import type { Scope } from '../oauth-types.js'
import { parseOptions, type Recipient, type ResourceServerOptions, type Settings } from './options.js'
import type { ScopeHierarchy } from './scopes-option.js'

/** Options that are about routes, requests and answers. */
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

/** The options of the plugin that make sense without requests. */
type SharedOptions = Omit<ResourceServerOptions, RequestOption | 'scopes' | 'claims'>

/** What `createVerifier` takes: the options of the plugin, except those about routes, requests and answers. */
export interface VerifierOptions<
  S extends string = Scope,
  C extends TSchema = TSchema,
  Scopes = readonly S[] | ScopeHierarchy<S>,
> extends SharedOptions {
  /** The catalogue: every scope that a rule may name, besides those of `api`. In an object, scopes include others. */
  scopes?: Scopes
  /** A JSON Schema for the claims, such as `Type.Object({ tenant: Type.String() })`; a token that does not fit is refused. */
  claims?: C
  /** Where refusals and failures of issuers are logged: a logger such as pino's. Default: nowhere. */
  logger?: Logger
}

const recipient: Recipient = { subject: 'createVerifier', ignored: ['logger'] }

/** @throws {InvalidOptionError} naming the option, the value received and what was expected */
export function parseVerifierOptions<S extends string, C extends TSchema>(
  options: VerifierOptions<S, C>,
): { readonly settings: Settings; readonly log: Logger } {
  const given = takeOptions(options, { toError, subject: recipient.subject })
  for (const name of Object.keys(given))
    if (requestOptions.includes(name))
      throw new InvalidOptionError(
        `option \`${name}\` is about HTTP requests, and createVerifier receives none; leave it out`,
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
  'a logger with the methods info, warn and error, as pino has them',
)
