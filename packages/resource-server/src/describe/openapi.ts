import type { RouteOptions } from 'fastify'
import type { Requirement } from '../authorize/requirement.js'

/** What a route's schema says for the OpenAPI document (@fastify/swagger). */
interface DocumentedSchema {
  readonly security?: unknown
  readonly response?: Readonly<Record<string, unknown>>
}

/** How refusals look in the document. */
export interface OpenApiSettings {
  /** The name of the security scheme in the document. */
  readonly securityScheme: string
  /** The body of a refusal: Fastify's error, or problem details; undefined where the document takes no JSON Schema. */
  readonly refusals: 'error' | 'problem' | undefined
}

/**
 * Writes into a route's options which scopes it needs and how it refuses, where it does not say so itself. This is done
 * when every route is there and Fastify has taken up its schemas: documentation must not change how answers are written.
 */
export function documentRoute(
  options: RouteOptions,
  requirement: Requirement | undefined,
  { securityScheme, refusals }: OpenApiSettings,
): void {
  const schema = (options.schema ?? {}) as DocumentedSchema
  if (requirement === undefined) {
    // A default of the whole document would make it look protected.
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
    // @fastify/swagger says this by itself only of a route without any.
    ...(response ?? { 200: { description: 'Default Response' } }),
  }
}

/** Roles are named here: the members of a security requirement are scopes. */
function describeMissing(scopes: readonly string[], roles: readonly string[]): string {
  const role = `role ${roles.join(' or ')}`
  if (scopes.length === 0) return `The token lacks the ${role} (RFC 6750 §3.1)`
  return `The token lacks a scope${roles.length === 0 ? '' : `, and the ${role}`} (RFC 6750 §3.1)`
}

/** Members of the list are alternatives, and `{}` is none at all (OpenAPI 3.1 §4.8.30). */
function securityOf(requirement: Requirement, scheme: string): readonly object[] {
  const alternatives = sufficientScopes(requirement).map(scopes => ({ [scheme]: scopes }))
  return requirement.optional ? [...alternatives, {}] : alternatives
}

/** A document that lists more alternatives for one route would be unreadable. */
const mostAlternatives = 50

/**
 * Each set of scopes that is enough, those that the route names first: they allow the least. With too many sets, only
 * the scopes that the route names.
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

/** Whether a set need not be listed, because another one is part of it. */
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
