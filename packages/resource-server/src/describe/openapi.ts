import type { RouteOptions } from 'fastify'
import type { Requirement } from '../authorize/requirement.js'

/** The part of a route's schema that the OpenAPI document of @fastify/swagger uses. */
interface DocumentedSchema {
  readonly security?: unknown
  readonly response?: Readonly<Record<string, unknown>>
}

/** How refusals are described in the OpenAPI document. */
export interface OpenApiSettings {
  /** The name of the security scheme in the OpenAPI document. */
  readonly securityScheme: string
  /**
   * The body of a refusal: Fastify's error object or problem details. Undefined if the application's serializer
   * compiler does not accept JSON Schema.
   */
  readonly refusals: 'error' | 'problem' | undefined
}

/**
 * Adds the required scopes and the 401 and 403 responses to a route's schema, unless the schema already defines them.
 * Runs after Fastify has compiled its serializers, so that the documentation does not change how responses are
 * serialized.
 */
export function documentRoute(
  options: RouteOptions,
  requirement: Requirement | undefined,
  { securityScheme, refusals }: OpenApiSettings,
): void {
  const schema = (options.schema ?? {}) as DocumentedSchema
  if (requirement === undefined) {
    // An empty `security` overrides the document's default, which would show the public route as protected.
    const open: object = { security: [], ...schema }
    options.schema = open
    return
  }
  const documented: object = {
    security: securityOf(requirement, securityScheme),
    ...schema,
    ...(refusals === undefined ? {} : { response: responsesOf(requirement, schema, bodies[refusals]) }),
  }
  options.schema = documented
}

function responsesOf({ scopes, roles }: Requirement, { response }: DocumentedSchema, body: object): object {
  return {
    401: { description: 'No valid access token (RFC 6750 §3.1)', ...body },
    ...(scopes.length === 0 && roles.length === 0
      ? {}
      : { 403: { description: describeMissing(scopes, roles), ...body } }),
    // @fastify/swagger adds this default response only to routes without any response.
    ...(response ?? { 200: { description: 'Default Response' } }),
  }
}

/** Describes the missing scopes and roles. A security requirement can only list scopes, so roles are named here. */
function describeMissing(scopes: readonly string[], roles: readonly string[]): string {
  const role = `role ${roles.join(' or ')}`
  if (scopes.length === 0) return `The token lacks the ${role} (RFC 6750 §3.1)`
  return `The token lacks a scope${roles.length === 0 ? '' : `, and the ${role}`} (RFC 6750 §3.1)`
}

/** Lists the sufficient sets of scopes as alternatives; `{}` means that no token is required (OpenAPI 3.1 §4.8.30). */
function securityOf(requirement: Requirement, scheme: string): readonly object[] {
  const alternatives = sufficientScopes(requirement).map(scopes => ({ [scheme]: scopes }))
  return requirement.optional ? [...alternatives, {}] : alternatives
}

/** The maximum number of alternatives for one route, which keeps the document readable. */
const mostAlternatives = 50

/**
 * Returns each sufficient set of scopes. Sets that contain more of the route's own scopes come first, because these
 * sets grant the least access. If there are too many sets, returns only the required scopes.
 */
function sufficientScopes({ scopes, acceptedScopes, match }: Requirement): readonly (readonly string[])[] {
  if (match === 'any') return [...new Set([...scopes, ...acceptedScopes.flat()])].map(scope => [scope])
  if (acceptedScopes.reduce((count, names) => count * names.length, 1) > mostAlternatives) return [scopes]
  const sets = acceptedScopes.reduce<readonly ReadonlySet<string>[]>(
    (begun, names) => begun.flatMap(set => names.map(name => new Set(set).add(name))),
    [new Set()],
  )
  const named = (set: ReadonlySet<string>): number => scopes.filter(scope => set.has(scope)).length
  return sets
    .filter((set, index) => !sets.some((other, at) => replaces(other, set, at < index)))
    .toSorted((a, b) => named(b) - named(a))
    .map(set => Array.from(set))
}

/** Returns whether one set of scopes makes another set redundant, because the first is a subset of the second. */
function replaces(other: ReadonlySet<string>, set: ReadonlySet<string>, isEarlier: boolean): boolean {
  const isSmaller = other.size < set.size || (isEarlier && other.size === set.size)
  return isSmaller && [...other].every(name => set.has(name))
}

const text = { type: 'string' }
const number = { type: 'integer' }

const bodies = {
  error: {
    type: 'object',
    properties: { statusCode: number, code: text, error: text, message: text },
  },
  /** RFC 9457 §3.1. */
  problem: {
    content: {
      'application/problem+json': {
        schema: {
          type: 'object',
          properties: { type: text, title: text, status: number, detail: text, code: text },
        },
      },
    },
  },
}
