import {
  isPlainObject,
  oneOrMore,
  optional,
  ownOptions,
  parser,
  readOptions,
  strings,
  takeOptions,
  text,
  withDefault,
  type Given,
  type Parser,
  type Place,
} from 'declared-options'
import { InvalidOptionError } from '../errors.js'
import { toError, topLevel } from './place.js'
import type { Profile } from './profiles.js'

/** The scopes, resources and other parameters of a token request. */
export interface TargetOptions {
  /** The requested scopes (RFC 6749 §3.3). */
  scopes?: readonly string[]
  /**
   * The API or APIs that the token is for, as resource indicators (RFC 8707 §2) or in the equivalent form that the
   * profile requires.
   */
  resource?: string | readonly string[]
  /** The `audience` parameter of the token request. Auth0 and other servers use this parameter. */
  audience?: string
  /** Other parameters of the token request. */
  parameters?: Readonly<Record<string, string>>
}

/** The parameters that users cannot set, because the client sets them for the grant and the client authentication. */
const reserved: ReadonlySet<string> = new Set([
  'grant_type',
  'client_id',
  'client_secret',
  'client_assertion',
  'client_assertion_type',
  'scope',
  'assertion',
  'subject_token',
  'subject_token_type',
])

export const targetDeclaration: { readonly [Name in keyof Target]: Parser<Target[Name]> } = {
  // An empty list requests the server's default scopes.
  scopes: withDefault(
    strings('a list of scopes, each without spaces (RFC 6749 §3.3)', {
      pattern: /^[\x21\x23-\x5B\x5D-\x7E]+$/,
      mayBeEmpty: true,
    }),
    [],
  ),
  resource: withDefault(oneOrMore(text('the audience of the token, such as the URL of the API')), []),
  audience: optional(text('the audience of the token')),
  parameters: withDefault(
    parser({
      expected: 'an object of strings',
      read(value, place) {
        if (!isPlainObject(value)) return undefined
        const parameters = ownOptions(value, place)
        refuseReserved(parameters, place)
        return isOfStrings(parameters) ? parameters : undefined
      },
    }),
    {},
  ),
}

/** The validated scopes, resources and parameters of a token request. */
export interface Target {
  readonly scopes: readonly string[]
  readonly resource: readonly string[]
  readonly audience: string | undefined
  readonly parameters: Readonly<Record<string, string>>
}

/**
 * Extracts the scopes, resources and parameters from validated options, in the form that {@link parametersOf} accepts.
 */
export function targetOf({ scopes, resource, audience, parameters }: Target): TargetOptions {
  return {
    scopes,
    ...(resource.length === 0 ? {} : { resource }),
    ...(audience === undefined ? {} : { audience }),
    parameters,
  }
}

/**
 * Validates the scopes, resources and parameters that a caller passes.
 * @throws {InvalidOptionError}
 */
export function readTarget(target: TargetOptions): Target {
  return readOptions(target as Given, targetDeclaration, topLevel)
}

/**
 * Copies the argument of `with` or `onBehalfOf`.
 * @throws {InvalidOptionError} if the argument is not a plain object
 */
export function ownTarget(target: TargetOptions, subject: string): TargetOptions {
  return takeOptions(target, { toError, subject })
}

/**
 * Returns the parameters of a token request with the given scopes, resources and additional parameters.
 * @throws {InvalidOptionError} if these values are invalid or contradict each other
 */
export function parametersOf(
  target: TargetOptions,
  { resource: meaning }: Profile,
): readonly (readonly [string, string])[] {
  const given = readTarget(target)
  const { resource: resources, audience, parameters: further } = given
  const scopes = [...given.scopes, ...defaultScopes(given, meaning)]
  if (meaning === 'audience' && resources.length > 0 && audience !== undefined)
    throw new InvalidOptionError(
      'options `resource` and `audience` have the same meaning with this profile; use one of them',
    )
  const own: readonly (readonly [string, string])[] = [
    ...(scopes.length === 0 ? [] : [['scope', scopes.join(' ')] as const]),
    ...(meaning === 'resource' || meaning === 'audience' ? resources : []).map(
      value => [meaning, value] as const,
    ),
    ...(audience === undefined ? [] : [['audience', audience] as const]),
  ]
  // RFC 6749 §3.2 forbids repeated parameters. Only `resource` may be repeated (RFC 8707 §2).
  const twice = own.find(([name]) => Object.hasOwn(further, name))
  if (twice !== undefined)
    throw new InvalidOptionError(
      `option \`parameters\` has \`${twice[0]}\`, which another option sets; set it once`,
    )
  return [...own, ...Object.entries(further)]
}

function refuseReserved(parameters: object, { option, toError: toPlaceError }: Place): void {
  for (const name of Object.keys(parameters))
    if (reserved.has(name))
      throw toPlaceError(
        `option \`${option}\` has \`${name}\`, which the client sets itself${name === 'scope' ? '; use `scopes`' : ''}`,
      )
}

function isOfStrings(parameters: Given): parameters is Readonly<Record<string, string>> {
  return Object.values(parameters).every(member => typeof member === 'string')
}

function defaultScopes(
  { resource: resources, scopes }: Target,
  meaning: Profile['resource'],
): readonly string[] {
  if (resources.length === 0) return []
  if (meaning === 'unknown')
    throw new InvalidOptionError(
      'option `resource` has no effect with this profile, because the audience is configured at the authorization server; leave it out',
    )
  if (meaning !== 'resource' && resources.length > 1)
    throw new InvalidOptionError(
      'option `resource` has several members; with this profile, a token is for one API',
    )
  if (meaning !== 'default scope') return []
  if (scopes.length > 0)
    throw new InvalidOptionError(
      'options `scopes` and `resource` cannot be combined with this profile, because the scope <resource>/.default requests all granted permissions',
    )
  return resources.map(resource => `${resource}/.default`)
}
