import type { OpenApiDocument } from './document.js'
import { isObject, listOf, membersOf, textOf, type Json, type JsonObject } from './json.js'

/** The scopes that a token needs for an operation. */
export interface Requirement {
  readonly scopes: readonly string[] | 'public'
  /** Notes about security requirements that an API contract cannot express. */
  readonly notes: readonly string[]
}

/** The document's security schemes. */
export interface Security {
  requirementOf(operation: JsonObject): Requirement
  /** Maps scopes to descriptions. Contains the scopes of all security schemes and of all operations read so far. */
  catalogue(): ReadonlyMap<string, string>
}

export function readSecurity({ root, resolve }: OpenApiDocument): Security {
  const components = isObject(root['components']) ? root['components'] : {}
  const schemes = new Map(
    membersOf(components['securitySchemes']).map(([name, scheme]) => [name, resolve(scheme)]),
  )
  const scopes = new Map<string, string>()
  for (const scheme of schemes.values())
    for (const [scope, description] of declaredScopes(scheme)) scopes.set(scope, description)

  return {
    catalogue: () => scopes,
    requirementOf(operation) {
      const security = operation['security'] ?? root['security']
      if (security === undefined)
        return {
          scopes: [],
          notes: [
            'the document has no security requirement for the operation, so the contract requires a token',
          ],
        }
      const alternatives = listOf(security).map(alternative => readAlternative(alternative, schemes))
      const requirement = choose(alternatives)
      for (const scope of requirement.scopes === 'public' ? [] : requirement.scopes)
        if (!scopes.has(scope)) scopes.set(scope, scope)
      return requirement
    },
  }
}

/**
 * Returns the scopes that an OAuth 2 security scheme declares, with their descriptions. Security schemes of the type
 * `openIdConnect` do not declare scopes in the document.
 */
function declaredScopes(scheme: Json | undefined): [scope: string, description: string][] {
  if (!isObject(scheme) || scheme['type'] !== 'oauth2') return []
  return membersOf(scheme['flows'])
    .flatMap(([, flow]) => (isObject(flow) ? membersOf(flow['scopes']) : []))
    .filter(([scope]) => isScope(scope))
    .map(([scope, description]) => [scope, textOf(description) ?? scope])
}

/**
 * One of several alternative security requirements for an operation. A request must satisfy every security scheme in
 * one alternative.
 */
interface Alternative {
  readonly scopes: readonly string[]
  /** True if the alternative requires an access token. */
  readonly hasToken: boolean
  /** The names of the required security schemes that do not use access tokens. */
  readonly others: readonly string[]
  readonly isAnonymous: boolean
}

function readAlternative(alternative: Json, schemes: ReadonlyMap<string, Json | undefined>): Alternative {
  const needed = membersOf(alternative)
  const scopes = new Set<string>()
  const others: string[] = []
  for (const [name, required] of needed) {
    const names = listOf(required).filter((scope): scope is string => typeof scope === 'string')
    if (isTokenScheme(schemes.get(name))) for (const scope of names) scopes.add(scope)
    else others.push(name)
  }
  return {
    scopes: [...scopes].sort(),
    hasToken: others.length < needed.length,
    others,
    isAnonymous: needed.length === 0,
  }
}

/**
 * Returns whether a security scheme uses access tokens. Such schemes include HTTP bearer schemes, for which OpenAPI 3.1 allows
 * a list of roles. The API contract treats these roles as scopes.
 */
function isTokenScheme(scheme: Json | undefined): boolean {
  if (!isObject(scheme)) return false
  const { type, scheme: name } = scheme
  return (
    type === 'oauth2' ||
    type === 'openIdConnect' ||
    (type === 'http' && typeof name === 'string' && name.toLowerCase() === 'bearer')
  )
}

/**
 * Chooses one of the alternative security requirements of an operation, because a contract has only one list of scopes
 * for each operation. Prefers alternatives that use an access token, then alternatives with fewer other security
 * schemes, then alternatives with fewer scopes.
 */
function choose(alternatives: readonly Alternative[]): Requirement {
  if (alternatives.length === 0) return { scopes: 'public', notes: [] }
  const named = alternatives.filter(({ isAnonymous }) => !isAnonymous)
  const [chosen, ...rest] = named.toSorted(
    (a, b) =>
      Number(b.hasToken) - Number(a.hasToken) ||
      a.others.length - b.others.length ||
      a.scopes.length - b.scopes.length,
  )
  if (chosen === undefined) return { scopes: 'public', notes: [] }
  const notes = rest.map(alternative => `alternative: ${describe(alternative)}`)
  if (named.length < alternatives.length) notes.push('alternative: no token')
  if (!chosen.hasToken)
    notes.push(`the operation is secured by ${chosen.others.join(' and ')}, not by OAuth 2`)
  else if (chosen.others.length > 0) notes.push(`each call also needs ${chosen.others.join(' and ')}`)
  return { scopes: chosen.scopes, notes }
}

function describe({ scopes, others }: Alternative): string {
  return [...scopes, ...others].join(' and ') || 'any token'
}

/** Returns whether a string is a valid scope (RFC 6749 §3.3). */
export const isScope = (scope: string): boolean => /^[!#-[\]-~]+$/.test(scope)
