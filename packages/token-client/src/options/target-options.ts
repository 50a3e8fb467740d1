import { InvalidOptionError } from '../errors.js'
import type { Preset } from './presets.js'
import { strings, text, wrong, type Given } from './read-option.js'

/** What a token is asked for. */
export interface TargetOptions {
  /** The scopes to ask for (RFC 6749 §3.3). */
  scopes?: readonly string[]
  /** Whom the token is for: resource indicators (RFC 8707 §2), or what the preset makes of them. */
  resource?: string | readonly string[]
  /** The `audience` parameter of Auth0 and others. */
  audience?: string
  /** Further parameters of the token request. */
  parameters?: Readonly<Record<string, string>>
}

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
  { resource: meaning }: Preset,
): readonly (readonly [string, string])[] {
  const further = parseFurther(given)
  const resources = typeof given['resource'] === 'string' ? [given['resource']] : strings(given, 'resource')
  const audience = text(given, 'audience')
  const scopes = [...parseScopes(given), ...defaultScopes(given, resources, meaning)]
  return [
    ...(scopes.length === 0 ? [] : [['scope', scopes.join(' ')] as const]),
    ...(meaning === 'resource' || meaning === 'audience' ? resources : []).map(
      value => [meaning, value] as never,
    ),
    ...(audience === undefined ? [] : [['audience', audience] as const]),
    ...Object.entries(further),
  ]
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
  meaning: Preset['resource'],
): readonly string[] {
  if (resources.length === 0) return []
  if (meaning === 'unknown')
    throw new InvalidOptionError(
      'option `resource` is given, and the preset has no parameter for it: leave it out; whom tokens are for is set up at the authorization server',
    )
  if (meaning !== 'default scope') return []
  if (resources.length > 1)
    throw new InvalidOptionError(
      'option `resource` has several members; the preset wants one: a token is for one API',
    )
  if (strings(given, 'scopes').length > 0)
    throw new InvalidOptionError(
      'options `scopes` and `resource` exclude each other with this preset: an application gets all permissions it was granted, by the scope <resource>/.default',
    )
  return resources.map(resource => `${resource}/.default`)
}
