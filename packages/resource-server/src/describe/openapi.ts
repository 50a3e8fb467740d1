import type { RouteOptions } from 'fastify'
import type { Requirement } from '../authorize/requirement.js'

/** The properties of a route's schema that @fastify/swagger reads to document security and responses. */
interface DocumentedSchema {
  readonly security?: unknown
  readonly response?: Readonly<Record<string, unknown>>
}

/** How the OpenAPI document describes protected routes and refusals. */
export interface OpenApiSettings {
  /** The name of the security scheme in the OpenAPI document. */
  readonly securityScheme: string
  /**
   * The format of 401 and 403 response bodies: Fastify's error object, or problem details (RFC 9457). If undefined, the
   * body is not described, because the application's own serializer compiler may not accept JSON Schema.
   */
  readonly refusals: 'error' | 'problem' | undefined
}

/**
 * Adds the required scopes and the 401 and 403 responses to a route's schema, unless the schema already defines them.
 * The additions are made after Fastify has compiled the route's serializers, so they do not affect how responses are
 * serialized.
 */
export function documentRoute(
  options: RouteOptions,
  requirement: Requirement | undefined,
  { securityScheme, refusals }: OpenApiSettings,
): void {
  const schema = (options.schema ?? {}) as DocumentedSchema
  if (requirement === undefined) {
    // A public route needs an empty `security`. Otherwise, the OpenAPI document's default `security` would make the route appear protected.
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
    401: { description: 'The access token is missing or invalid (RFC 6750 §3.1)', ...body },
    ...(scopes.length === 0 && roles.length === 0
      ? {}
      : { 403: { description: describeMissing(scopes, roles), ...body } }),
    // @fastify/swagger adds the default response only if a route has no other responses. Because the 401 response is added here, the default response must be added too.
    ...(response ?? { 200: { description: 'Default Response' } }),
  }
}

/**
 * Returns the description of a route's 403 response. It mentions the required roles, because a security requirement in
 * OpenAPI can list only scopes.
 */
function describeMissing(scopes: readonly string[], roles: readonly string[]): string {
  const names = roles.join(' or ')
  if (scopes.length === 0) return `The token lacks the role ${names} (RFC 6750 §3.1)`
  return `The token lacks a required scope${roles.length === 0 ? '' : `, and the role ${names}`} (RFC 6750 §3.1)`
}

/**
 * Returns a route's security requirements in OpenAPI: one alternative for each sufficient set of scopes. An empty
 * object means that no token is required (OpenAPI 3.1 §4.8.30).
 */
function securityOf(requirement: Requirement, scheme: string): readonly object[] {
  const alternatives = sufficientScopes(requirement).map(scopes => ({ [scheme]: scopes }))
  return requirement.optional ? [...alternatives, {}] : alternatives
}

/** The maximum number of alternatives for one route, to keep the OpenAPI document readable. */
const mostAlternatives = 50

/**
 * Returns each set of scopes that is sufficient for a route. Sets with more of the scopes that the route's access rule
 * lists come first, because the alternatives, scopes that include others, grant more access. If there are too many
 * sets, only the scopes listed in the rule are returned.
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

/** Returns whether `set` is redundant: `other` is a smaller subset of it, or an identical set that comes earlier. */
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
