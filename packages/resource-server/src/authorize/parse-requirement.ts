import { isObject, suggest } from 'declared-options'
import { InvalidRouteError } from '../errors.js'
import { anyToken, parseRule } from './parse-rule.js'
import type { Catalogue, Requirement } from './requirement.js'

/**
 * Reads a route's requirement from its `config`. Returns undefined for a public route.
 * @throws {InvalidRouteError} if the rule is invalid. The message contains the route, the value received and the value
 * expected
 */
export function parseRequirement(
  config: unknown,
  route: string,
  catalogue: Catalogue,
): Requirement | undefined {
  const given = isObject(config) ? config : {}
  if (!Object.hasOwn(given, 'oauth')) {
    refuseMisspeltOauth(given, route)
    return byDefault(route, catalogue)
  }
  const { oauth } = given
  if (oauth === undefined)
    throw new InvalidRouteError(
      `${route}: config.oauth is undefined (is the name of the rule misspelt?); set a rule, or remove config.oauth`,
    )
  return oauth === false ? undefined : parseRule(oauth, route, catalogue)
}

/** Returns the requirement of a route without `config.oauth`, according to the option `defaultAccess`. */
function byDefault(route: string, catalogue: Catalogue): Requirement | undefined {
  if (catalogue.defaultAccess === 'protected') return parseRule(anyToken, route, catalogue)
  if (catalogue.defaultAccess === 'public') return undefined
  throw new InvalidRouteError(
    `${route}: config.oauth is missing, but the option \`defaultAccess: 'explicit'\` requires it; set config.oauth to a rule such as { scopes: ['…'] }, to {} for any valid token, or to false for a public route`,
  )
}

function refuseMisspeltOauth(config: object, route: string): void {
  for (const key of Object.keys(config))
    if (suggest(key, ['oauth']) === 'oauth')
      throw new InvalidRouteError(
        `${route}: config.${key} has no effect; did you mean config.oauth? If another plugin reads it, set config.oauth as well`,
      )
}
