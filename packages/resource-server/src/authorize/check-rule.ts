import { show, suggest, type Place } from 'declared-options'
import type { Catalogue, Requirement } from './requirement.js'

const longestList = 2_048

/**
 * Rejects long lists of scopes or acr values. The lists are sent in the `WWW-Authenticate` header, and many servers and
 * proxies limit headers to 8 KiB.
 */
export function refuseLongLists(rule: Pick<Requirement, 'scopes' | 'acr'>, { option, toError }: Place): void {
  for (const name of ['scopes', 'acr'] as const) {
    const { length } = rule[name].join(' ')
    if (length > longestList)
      throw toError(
        `${option}.${name} has ${length} characters in total; expected at most ${longestList}, because the WWW-Authenticate header contains these values`,
      )
  }
}

/**
 * Rejects an access rule in which a property is undefined, usually because the name of a constant is misspelt. If
 * `scopes: undefined` were allowed, the route would accept any valid token.
 */
export function refuseUndefined(rule: object, { option, toError }: Place): void {
  for (const [key, value] of Object.entries(rule))
    if (value === undefined)
      throw toError(`${option}.${key} is undefined (is its name misspelt?); set a value, or remove the key`)
}

export function refuseUnknownScopes(
  scopes: readonly string[],
  { scopes: known }: Catalogue,
  { option, toError }: Place,
): void {
  if (known === undefined) return
  const scope = scopes.find(name => !known.includes(name))
  if (scope === undefined) return
  throw toError(
    `${option}.scopes contains ${show(scope)}, which is not declared in the option \`scopes\` or \`api\`${hint(scope, known)}; declare it there, or correct the rule`,
  )
}

export function refuseUnknownAudience(
  audience: string | undefined,
  { audiences }: Catalogue,
  { option, toError }: Place,
): void {
  if (audience === undefined || audiences.includes(audience)) return
  throw toError(
    `${option}.audience is ${show(audience)}, which is not in the option \`audience\`${hint(audience, audiences)}; expected one of ${show(audiences)}`,
  )
}

function hint(name: string, known: readonly string[]): string {
  const meant = suggest(name, known)
  return meant === undefined ? '' : ` (did you mean ${show(meant)}?)`
}
