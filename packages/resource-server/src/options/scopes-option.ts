import { isPlainObject, parser, show, strings, suggest, type Parser, type Place } from 'declared-options'
import { scopeToken } from '../authorize/parse-rule.js'
import type { Catalogue } from '../authorize/requirement.js'
import { InvalidOptionError } from '../errors.js'
import type { OfferedApi } from './api-option.js'

/** Maps each scope to the scopes that it includes. */
export type ScopeHierarchy<S extends string = string> = { readonly [Scope in S]: readonly NoInfer<S>[] }

/** Maps each scope to the scopes that it includes directly. */
type Includes = ReadonlyMap<string, readonly string[]>

const list = strings('a list of one or more scopes without spaces (RFC 6749 §3.3)', {
  pattern: scopeToken,
})
const included = strings('a list of the scopes that this scope includes, or [] if it includes none', {
  pattern: scopeToken,
  mayBeEmpty: true,
})

/**
 * Parses the `scopes` option, which is a list of scopes, or an object that maps each scope to the scopes that it
 * includes.
 */
export const scopesOption: Parser<Includes> = parser({
  expected: `${list.expected}, or an object such as { 'receipts:admin': ['receipts:read'], 'receipts:read': [] }`,
  fromText: true,
  read(value, place) {
    if (Array.isArray(value)) return new Map(list.read(value, place).map(name => [name, []]))
    const entries = isPlainObject(value) ? Object.entries(value) : []
    return entries.length === 0 ? undefined : new Map(entries.map(entry => readEntry(entry, place)))
  },
})

function readEntry([name, value]: [string, unknown], place: Place): [string, readonly string[]] {
  if (!scopeToken.test(name))
    throw place.toError(`option \`${place.option}\` has the scope ${show(name)}; expected ${list.expected}`)
  return [name, included.read(value, { ...place, option: `${place.option}["${name}"]` })]
}

/**
 * Combines the scopes of `api` with the scopes in the `scopes` option.
 * @throws {InvalidOptionError} if a scope includes itself or an unknown scope
 */
export function scopeCatalogue(
  given: Includes | undefined,
  api: OfferedApi | undefined,
): Pick<Catalogue, 'scopes' | 'grantedBy'> {
  if (given === undefined && api === undefined) return { scopes: undefined, grantedBy: new Map() }
  const includes = given ?? new Map<string, readonly string[]>()
  const scopes = [...new Set([...Object.keys(api?.scopes ?? {}), ...includes.keys()])]
  refuseUnknown(includes, new Set(scopes))
  const grantedBy = new Map<string, string[]>()
  for (const name of includes.keys())
    for (const reached of scopesIn(name, includes)) {
      const known = grantedBy.get(reached)
      if (known === undefined) grantedBy.set(reached, [reached, name])
      else known.push(name)
    }
  return { scopes, grantedBy }
}

function refuseUnknown(includes: Includes, known: ReadonlySet<string>): void {
  for (const [name, scopes] of includes) {
    const unknown = scopes.find(scope => !known.has(scope))
    if (unknown === undefined) continue
    const meant = suggest(unknown, [...known])
    const hint = meant === undefined ? '' : ` (did you mean ${show(meant)}?)`
    throw new InvalidOptionError(
      `option \`scopes["${name}"]\` contains ${show(unknown)}, which is not a declared scope${hint}; add ${show(unknown)}: [] to \`scopes\`, or correct the name`,
    )
  }
}

/** Returns all scopes that a scope includes, directly or through other scopes. */
function scopesIn(name: string, includes: Includes): Iterable<string> {
  /** Maps each included scope to a scope that includes it directly. */
  const found = new Map<string, string>()
  const add = (from: string): void => {
    for (const scope of includes.get(from) ?? []) if (!found.has(scope)) found.set(scope, from)
  }
  add(name)
  // Iterating over a Map also visits the keys that are inserted during the iteration.
  for (const scope of found.keys()) add(scope)
  if (found.has(name)) refuseCycle(name, found)
  return found.keys()
}

function refuseCycle(name: string, found: ReadonlyMap<string, string>): never {
  const path = [name]
  let from = found.get(name)
  for (; from !== undefined && from !== name; from = found.get(from)) path.unshift(from)
  throw new InvalidOptionError(
    `option \`scopes\` has a cycle: ${[name, ...path].join(' → ')}; a scope must not include itself`,
  )
}
