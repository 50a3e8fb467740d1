import { isObject, suggest } from 'declared-options'
import { InvalidRouteError } from '../errors.js'
import { anyToken, parseRule } from './parse-rule.js'
import type { Catalogue, Requirement } from './requirement.js'

/**
 * Reads a route's `config`: what it demands, or undefined where it is public.
 * @throws {InvalidRouteError} naming the route, the value received and what was expected
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
      `${route}: config.oauth is undefined (a misspelt name?); give a rule, or leave it out`,
    )
  return oauth === false ? undefined : parseRule(oauth, route, catalogue)
}

/** @returns what applies to a route without `config.oauth` */
function byDefault(route: string, catalogue: Catalogue): Requirement | undefined {
  if (catalogue.defaultAccess === 'protected') return parseRule(anyToken, route, catalogue)
  if (catalogue.defaultAccess === 'public') return undefined
  throw new InvalidRouteError(
    `${route}: it has no config.oauth, which the option \`defaultAccess: 'explicit'\` requires; give config.oauth, such as { scopes: ['…'] }, {} for any valid token, or false for a public route`,
  )
}

function refuseMisspeltOauth(config: object, route: string): void {
  for (const key of Object.keys(config))
    if (suggest(key, ['oauth']) === 'oauth')
      throw new InvalidRouteError(
        `${route}: config.${key} means nothing here; did you mean config.oauth? If it is for another plugin, give config.oauth too`,
      )
}
