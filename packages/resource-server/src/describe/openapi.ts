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
function securityOf({ scopes, match, optional }: Requirement, scheme: string): readonly object[] {
  const alternatives = match === 'any' ? scopes.map(scope => ({ [scheme]: [scope] })) : [{ [scheme]: scopes }]
  return optional ? [...alternatives, {}] : alternatives
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
