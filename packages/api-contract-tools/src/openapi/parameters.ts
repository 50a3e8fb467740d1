import type { OpenApiDocument } from './document.js'
import { isObject, listOf, textOf, type Json, type JsonObject } from './json.js'
import { call, object, type Code } from './print.js'
import { schemaCode, type SchemaContext } from './schema-code.js'

/** The parameters of an operation, as they appear in an API contract. */
export interface Parameters {
  /** The path in Fastify's syntax, with `:name` for each parameter. */
  readonly path: string
  readonly params: Code | undefined
  readonly query: Code | undefined
  /**
   * The names of the header and cookie parameters. API contracts cannot describe these parameters, so callers set them
   * in `headers`.
   */
  readonly headers: readonly string[]
  /** Notes about query parameters that the contract omits. */
  readonly notes: readonly string[]
  /** The reasons why the API contract must omit the operation. Empty if there are none. */
  readonly problems: readonly string[]
}

interface Sources {
  readonly path: string
  /**
   * Two lists: the parameters of the OpenAPI path item, and those of the operation. If both define the same parameter,
   * the operation's definition takes precedence.
   */
  readonly lists: readonly (Json | undefined)[]
}

export function readParameters(
  { path, lists }: Sources,
  { resolve }: OpenApiDocument,
  context: SchemaContext,
): Parameters {
  const given = new Map<string, JsonObject>()
  for (const one of lists.flatMap(listOf)) {
    const parameter = resolve(one)
    if (!isObject(parameter)) continue
    const { name, in: where } = parameter
    if (typeof name === 'string' && typeof where === 'string') given.set(`${where} ${name}`, parameter)
  }
  const inPath = readPath(path, given, context)
  const { query, notes, problems } = readQuery([...given.values()], { resolve, context })
  return {
    path: inPath?.path ?? path,
    params: inPath?.params,
    query,
    headers: headersOf([...given.values()]),
    notes,
    problems: inPath === undefined ? ['contracts do not support this path syntax'] : problems,
  }
}

/** Returns the names of the header and cookie parameters, except for the headers that OpenAPI ignores. */
function headersOf(parameters: readonly JsonObject[]): string[] {
  const headers: string[] = []
  for (const { name, in: where, required } of parameters) {
    if (typeof name !== 'string' || (where !== 'header' && where !== 'cookie')) continue
    if (notParameters.has(name.toLowerCase())) continue
    headers.push(`${name}${where === 'cookie' ? ' (cookie)' : ''}${required === true ? ' (required)' : ''}`)
  }
  return headers
}

function readQuery(
  parameters: readonly JsonObject[],
  parts: Pick<OpenApiDocument, 'resolve'> & { readonly context: SchemaContext },
): Pick<Parameters, 'query' | 'notes' | 'problems'> {
  const members: [string, Code][] = []
  const notes: string[] = []
  const problems: string[] = []
  for (const parameter of parameters) {
    const { name, in: where, required } = parameter
    if (typeof name !== 'string' || where !== 'query') continue
    const code = queryCode(parameter, parts)
    if (code !== undefined) members.push([name, required === true ? code : call('Type.Optional', code)])
    else if (required === true) problems.push(`a contract cannot describe the query parameter ${name}`)
    else notes.push(`the query parameter ${name} is omitted, because a contract cannot describe it`)
  }
  return { query: members.length === 0 ? undefined : call('Type.Object', object(members)), notes, problems }
}

/** OpenAPI ignores header parameters with these names. */
const notParameters = new Set(['accept', 'authorization', 'content-type'])

/**
 * Converts a path such as `/receipts/{payment-id}` to `/receipts/:payment_id`. Returns undefined if API contracts do
 * not support the path, for example because a path segment contains both text and a parameter.
 */
function readPath(
  path: string,
  given: ReadonlyMap<string, JsonObject>,
  context: SchemaContext,
): { path: string; params: Code | undefined } | undefined {
  const params = new Map<string, Code>()
  const segments: string[] = []
  for (const segment of path.split('/').slice(1)) {
    const [, original] = /^\{([^{}]+)\}$/.exec(segment) ?? []
    if (original === undefined) {
      if (/[:*?#(){}%\\\s]/.test(segment)) return undefined
      segments.push(segment)
      continue
    }
    const name = original.replaceAll(/\W+/g, '_')
    if (params.has(name)) return undefined
    params.set(name, schemaCode(given.get(`path ${original}`)?.['schema'] ?? { type: 'string' }, context))
    segments.push(`:${name}`)
  }
  return {
    path: `/${segments.join('/')}`,
    params: params.size === 0 ? undefined : call('Type.Object', object([...params])),
  }
}

/**
 * Converts the schema of a query parameter. Returns undefined if the value of the parameter is an object, or if the
 * parameter has a style other than `form`.
 */
function queryCode(
  parameter: JsonObject,
  { resolve, context }: Pick<OpenApiDocument, 'resolve'> & { readonly context: SchemaContext },
): Code | undefined {
  const { schema, style = 'form', explode = style === 'form' } = parameter
  if (schema === undefined || style !== 'form') return undefined
  const found = resolve(schema)
  const type = isObject(found) ? found['type'] : undefined
  if (type === 'object' || (isObject(found) && found['properties'] !== undefined)) return undefined
  if (type === 'array' && explode !== true)
    return schemaCode({ type: 'string', description: 'A comma-separated list of values' }, context)
  const description = textOf(parameter['description'])
  const described =
    description === undefined || !isObject(schema) || schema['$ref'] !== undefined
      ? schema
      : { description, ...schema }
  return schemaCode(described, context)
}
