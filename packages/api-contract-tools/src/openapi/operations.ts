import type { Components } from './components.js'
import type { OpenApiDocument } from './document.js'
import { isObject, membersOf, textOf, type Json, type JsonObject } from './json.js'
import { toCamelCase } from './naming.js'
import { readParameters } from './parameters.js'
import { list, object, quote, type Code } from './print.js'
import { schemaCode } from './schema-code.js'
import { isScope, type Security } from './security.js'

/** The code generated for an operation, or the reason why the API contract omits the operation. */
export type OperationResult =
  | {
      readonly name: string
      readonly code: Code
      /** The names of the operation's header and cookie parameters. */
      readonly headers: readonly string[]
      /** The differences between the OpenAPI document and the API contract. */
      readonly notes: readonly string[]
    }
  | { readonly name: string; readonly reason: string }

export interface OperationParts {
  readonly document: OpenApiDocument
  readonly components: Components
  readonly security: Security
  /** The status codes that a `default` response covers. */
  readonly defaultStatuses: readonly number[]
}

const methods = ['get', 'post', 'put', 'patch', 'delete']
/** The HTTP methods that OpenAPI supports but contracts do not. */
const otherMethods = new Set(['head', 'options', 'trace', 'query'])

/** Reads all operations, sorted by path and method. */
export function readOperations(parts: OperationParts): OperationResult[] {
  const { root, resolve } = parts.document
  const names = new Set<string>()
  const routes = new Map<string, string>()
  const results: OperationResult[] = []
  for (const [path, item] of membersOf(root['paths']).sort(([a], [b]) => (a < b ? -1 : 1))) {
    const pathItem = resolve(item)
    // Keys that are not paths are extensions, such as x-internal.
    if (!isObject(pathItem) || !path.startsWith('/')) continue
    for (const method of [...methods, ...otherMethods]) {
      const operation = pathItem[method]
      if (!isObject(operation)) continue
      const name = nameOf(textOf(operation['operationId']) ?? toCamelCase(`${method} ${path}`), names)
      // Parameter names are ignored, because routers cannot distinguish `/receipts/{id}` from `/receipts/{number}`.
      const route = `${method} ${path.replaceAll(/\{[^{}]*\}/g, '{}')}`
      const owner = routes.get(route)
      routes.set(route, owner ?? name)
      if (owner !== undefined)
        results.push({ name, reason: `the operation has the same route as the operation ${owner}` })
      else if (otherMethods.has(method))
        results.push({ name, reason: `contracts do not support the method ${method.toUpperCase()}` })
      else results.push(readOperation({ name, path, method, operation, pathItem }, parts))
    }
  }
  return results
}

/** Makes an operation id unique. OpenAPI requires unique ids, but many documents contain duplicates. */
function nameOf(wanted: string, names: Set<string>): string {
  let name = wanted
  for (let count = 2; names.has(name); count++) name = `${wanted}_${count}`
  names.add(name)
  return name
}

interface Source {
  readonly name: string
  readonly path: string
  readonly method: string
  readonly operation: JsonObject
  readonly pathItem: JsonObject
}

function readOperation(
  { name, path, method, operation, pathItem }: Source,
  { document, components: { context }, security, defaultStatuses }: OperationParts,
): OperationResult {
  const lists = [pathItem['parameters'], operation['parameters']]
  const { params, query, ...parameters } = readParameters({ path, lists }, document, context)
  const body = readBody(document.resolve(operation['requestBody']), document)
  const answers = readAnswers(operation['responses'], document, defaultStatuses)
  const { scopes, notes: needs } = security.requirementOf(operation)
  const [problem] = [
    ...parameters.problems,
    ...(body === 'other' ? ['the request body is not JSON'] : []),
    ...(method === 'get' && body !== undefined ? ['contracts do not support GET requests with a body'] : []),
    ...(answers.size === 0
      ? ['a contract requires at least one response that either is JSON or has no body']
      : []),
    ...(scopes !== 'public' && !scopes.every(isScope)
      ? ['a scope contains characters that OAuth 2 does not allow (RFC 6749 §3.3)']
      : []),
  ]
  if (problem !== undefined) return { name, reason: problem }
  const summary = textOf(operation['summary'])
  const responses = [...answers].map(([status, schema]): [string, Code] => [
    String(status),
    schema === null ? 'null' : schemaCode(schema, context),
  ])
  const members: [string, Code | undefined][] = [
    ['method', quote(method.toUpperCase())],
    ['path', quote(parameters.path)],
    ['scopes', scopes === 'public' ? quote(scopes) : list(scopes.map(quote))],
    ['params', params],
    ['query', query],
    ['body', isObject(body) ? schemaCode(body['schema'], context) : undefined],
    ['responses', object(responses)],
    ['summary', summary === undefined ? undefined : quote(summary.replaceAll(/\s+/g, ' '))],
  ]
  const code = object(members.filter((member): member is [string, Code] => member[1] !== undefined))
  const hasServers = [operation, pathItem].some(({ servers }) => servers !== undefined)
  const servers = hasServers
    ? ['the operation defines its own servers, so callers need a client with a different base URL']
    : []
  return { name, code, headers: parameters.headers, notes: [...needs, ...parameters.notes, ...servers] }
}

/** Returns the JSON media type of a request body, 'other' if the body is not JSON, or undefined if there is no body. */
function readBody(body: Json | undefined, document: OpenApiDocument): JsonObject | 'other' | undefined {
  if (!isObject(body)) return undefined
  return jsonOf(body['content'], document) ?? 'other'
}

/** Returns the JSON media type of a body. Prefers `application/json` to types that end in `+json` (RFC 6839 §3.1). */
function jsonOf(content: Json | undefined, { resolve }: OpenApiDocument): JsonObject | undefined {
  const types = membersOf(content).map(
    ([name, media]) => [name.toLowerCase().split(';')[0]?.trim(), media] as const,
  )
  const [, media] =
    types.find(([name]) => name === 'application/json') ?? types.find(([name]) => isJson(name)) ?? []
  const resolved = resolve(media)
  return isObject(resolved) ? resolved : undefined
}

function isJson(mediaType: string | undefined): boolean {
  if (mediaType === undefined) return false
  return ['application/json', 'application/*', '*/*'].includes(mediaType) || mediaType.endsWith('+json')
}

/**
 * Maps each status code to the schema of the response body, or to null if there is no body. Omits responses whose body
 * is not JSON.
 */
function readAnswers(
  responses: Json | undefined,
  document: OpenApiDocument,
  defaultStatuses: readonly number[],
): ReadonlyMap<number, Json | null> {
  const listed = membersOf(responses)
  const answers = new Map<number, Json | null>()
  const add = (statuses: readonly number[], response: Json): void => {
    for (const status of statuses) {
      const schema = answerOf(status, document.resolve(response), document)
      if (schema !== undefined && !answers.has(status)) answers.set(status, schema)
    }
  }
  const exact = new Set(listed.map(([key]) => Number(key)))
  const free = (statuses: readonly number[]): readonly number[] =>
    statuses.filter(status => !exact.has(status))
  for (const [key, response] of listed) if (/^[2-5]\d\d$/.test(key)) add([Number(key)], response)
  for (const [key, response] of listed)
    if (/^[2-5]XX$/i.test(key)) add(free(statusesOf(Number(key[0]), defaultStatuses)), response)
  const hasSuccess = listed.some(([key]) => key.startsWith('2'))
  for (const [key, response] of listed)
    if (key === 'default') add(free([...(hasSuccess ? [] : [200]), ...defaultStatuses]), response)
  return new Map([...answers].sort(([a], [b]) => a - b))
}

/** Returns the status codes to generate for a range such as `4XX`. */
function statusesOf(hundred: number, defaultStatuses: readonly number[]): number[] {
  if (hundred === 2) return [200]
  return defaultStatuses.filter(status => Math.floor(status / 100) === hundred)
}

/** Returns the schema of a response body, null if there is no body, or undefined if the body is not JSON. */
function answerOf(
  status: number,
  response: Json | undefined,
  document: OpenApiDocument,
): Json | null | undefined {
  if (!isObject(response)) return null
  const { content } = response
  // RFC 9110 §15.3.5, §15.4.5
  if (status === 204 || status === 304 || membersOf(content).length === 0) return null
  const media = jsonOf(content, document)
  return media === undefined ? undefined : (media['schema'] ?? {})
}
