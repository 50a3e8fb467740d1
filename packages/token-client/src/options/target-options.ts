import { InvalidOptionError } from '../errors.js'
import type { Profile } from './profiles.js'
import { strings, text, wrong, type Given } from './read-option.js'

/** What a token is asked for. */
export interface TargetOptions {
  /** The scopes to ask for (RFC 6749 §3.3). */
  scopes?: readonly string[]
  /** Whom the token is for: resource indicators (RFC 8707 §2), or what the profile makes of them. */
  resource?: string | readonly string[]
  /** The `audience` parameter of Auth0 and others. */
  audience?: string
  /** Further parameters of the token request. */
  parameters?: Readonly<Record<string, string>>
}

const targetNames: readonly string[] = ['scopes', 'resource', 'audience', 'parameters']

/** What the grant and the client's authentication are made of. */
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
/** RFC 6749 §3.3. */
const scopeToken = /^[\x21\x23-\x5B\x5D-\x7E]+$/

/** What a token is asked for → parameters of the token request. */
export function parseParameters(
  given: Given,
  { resource: meaning }: Profile,
): readonly (readonly [string, string])[] {
  for (const name of Object.keys(given))
    if (!targetNames.includes(name))
      throw new InvalidOptionError(`there is no option \`${name}\` here; there are ${targetNames.join(', ')}`)
  const further = parseFurther(given)
  const resources = typeof given['resource'] === 'string' ? [given['resource']] : strings(given, 'resource')
  const audience = text(given, 'audience')
  const scopes = [...parseScopes(given), ...defaultScopes(given, resources, meaning)]
  if (meaning === 'audience' && resources.length > 0 && audience !== undefined)
    throw new InvalidOptionError(
      'options `resource` and `audience` are the same with this profile; give one of them',
    )
  const own: readonly (readonly [string, string])[] = [
    ...(scopes.length === 0 ? [] : [['scope', scopes.join(' ')] as const]),
    ...(meaning === 'resource' || meaning === 'audience' ? resources : []).map(
      value => [meaning, value] as const,
    ),
    ...(audience === undefined ? [] : [['audience', audience] as const]),
  ]
  // RFC 6749 §3.2: a parameter is there once; RFC 8707 §2 has several resources, from one option.
  const twice = own.find(([name]) => Object.hasOwn(further, name))
  if (twice !== undefined)
    throw new InvalidOptionError(
      `option \`parameters\` has \`${twice[0]}\`, which another option gives; give it once`,
    )
  return [...own, ...Object.entries(further)]
}

function parseFurther(given: Given): Readonly<Record<string, string>> {
  const { parameters = {} } = given
  if (
    typeof parameters !== 'object' ||
    parameters === null ||
    Object.values(parameters).some(value => typeof value !== 'string')
  )
    throw new InvalidOptionError('option `parameters` wants an object of strings')
  for (const name of Object.keys(parameters))
    if (reserved.has(name))
      throw new InvalidOptionError(
        `option \`parameters\` has \`${name}\`, which the client writes itself${name === 'scope' ? '; give `scopes`' : ''}`,
      )
  return parameters as Record<string, string>
}

function parseScopes(given: Given): readonly string[] {
  const scopes = strings(given, 'scopes')
  for (const scope of scopes)
    if (!scopeToken.test(scope))
      throw wrong('scopes', scope, 'one scope for each member, without spaces (RFC 6749 §3.3)')
  return scopes
}

function defaultScopes(
  given: Given,
  resources: readonly string[],
  meaning: Profile['resource'],
): readonly string[] {
  if (resources.length === 0) return []
  if (meaning === 'unknown')
    throw new InvalidOptionError(
      'option `resource` is given, and the profile has no parameter for it: leave it out; whom tokens are for is set up at the authorization server',
    )
  if (meaning !== 'resource' && resources.length > 1)
    throw new InvalidOptionError(
      'option `resource` has several members; the profile wants one: a token is for one API',
    )
  if (meaning !== 'default scope') return []
  if (strings(given, 'scopes').length > 0)
    throw new InvalidOptionError(
      'options `scopes` and `resource` exclude each other with this profile: an application gets all permissions it was granted, by the scope <resource>/.default',
    )
  return resources.map(resource => `${resource}/.default`)
}
