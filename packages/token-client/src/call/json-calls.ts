import { isPlainObject, kindOf } from 'declared-options'
import { messageOf } from 'oauth-issuer-connection'
import type { Static, TSchema } from 'typebox'
import type { Dispatcher } from 'undici'
import { headerPairs, type HeaderValue } from '../attach/header-pairs.js'
import { joinHeaders } from '../attach/with-headers.js'
import { UnexpectedBodyError, UnexpectedStatusError } from '../errors.js'
import { readRetryAfter } from '../retry-after.js'
import { checkOptions, checkPath, checkSchema, checkTable } from './check-arguments.js'
import { readBody } from './read-body.js'
import type { CallOptions } from './token-view.js'

/** Maps each status code to the TypeBox schema of the response body. */
export type AnswerSchemas = Readonly<Record<number, TSchema>>

/** The options of a JSON call. */
export interface JsonCallOptions<Schemas extends AnswerSchemas | undefined = AnswerSchemas | undefined> {
  /** Sent as JSON. */
  json?: unknown
  /** The query parameters to append to the path. Parameters with the value `undefined` are omitted. */
  query?: Readonly<Record<string, string | number | boolean | undefined>>
  /** The headers in any form that `request` accepts: an object, `Headers` or a list. */
  headers?: Dispatcher.DispatchOptions['headers']
  signal?: AbortSignal
  /**
   * The schemas of the expected responses, by status code. A response with any other status is an error. By default,
   * any 2xx status is expected, and the body has the type `unknown`. An empty body is `undefined`.
   */
  response?: Schemas
}

/** An expected response. The type of `body` depends on `status`. */
export type JsonAnswer<Schemas extends AnswerSchemas | undefined> = Schemas extends AnswerSchemas
  ? {
      [Status in keyof Schemas & number]: {
        readonly status: Status
        readonly headers: Dispatcher.ResponseData['headers']
        readonly body: Static<Schemas[Status]>
      }
    }[keyof Schemas & number]
  : { readonly status: number; readonly headers: Dispatcher.ResponseData['headers']; readonly body: unknown }

/** The maximum size of a JSON body in bytes. For larger bodies, use the body stream that `request` returns. */
const maxJsonBytes = 10 * 1024 * 1024
/**
 * The maximum number of bytes to read from an error response. Reading a response completely allows its connection to be
 * reused.
 */
const maxErrorBytes = 65_536

/**
 * Methods that send and receive JSON. Responses are limited to 10 MiB. The methods reject with `UnexpectedStatusError`,
 * with `UnexpectedBodyError`, or with the same errors as `request`.
 */
export interface JsonCalls {
  get<const S extends AnswerSchemas | undefined = undefined>(
    path: string,
    options?: JsonCallOptions<S>,
  ): Promise<JsonAnswer<S>>
  post<const S extends AnswerSchemas | undefined = undefined>(
    path: string,
    options?: JsonCallOptions<S>,
  ): Promise<JsonAnswer<S>>
  put<const S extends AnswerSchemas | undefined = undefined>(
    path: string,
    options?: JsonCallOptions<S>,
  ): Promise<JsonAnswer<S>>
  patch<const S extends AnswerSchemas | undefined = undefined>(
    path: string,
    options?: JsonCallOptions<S>,
  ): Promise<JsonAnswer<S>>
  delete<const S extends AnswerSchemas | undefined = undefined>(
    path: string,
    options?: JsonCallOptions<S>,
  ): Promise<JsonAnswer<S>>
}

/** TypeScript reports an error if this object lacks an option. */
const optionNames = Object.keys({
  json: true,
  query: true,
  headers: true,
  signal: true,
  response: true,
} satisfies Record<keyof JsonCallOptions, true>)

/**
 * Creates the JSON calls.
 * @param request sends a call with the token
 * @param now returns the time in milliseconds since the epoch
 */
export function createJsonCalls(
  request: (options: CallOptions) => Promise<Dispatcher.ResponseData>,
  now: () => number,
): JsonCalls {
  const calls = (method: Dispatcher.HttpMethod) =>
    async function call(path: string, options: JsonCallOptions = {}): Promise<never> {
      checkPath(path)
      checkOptions(options, optionNames, '{ query: { page: 1 } }')
      const { json, query, headers, signal, response: schemas } = options
      checkTable('query', query)
      checkTable('response', schemas)
      for (const schema of Object.values(schemas ?? {})) checkSchema(schema)
      const answer = await request({
        method,
        path: withQuery(path, query),
        headers: withJsonHeaders(headers, json !== undefined),
        ...(json === undefined ? {} : { body: write(json) }),
        ...(signal === undefined ? {} : { signal }),
      })
      const { statusCode: status, headers: responseHeaders } = answer
      const where = `${method} ${path.split('?')[0]}`
      const schema = schemas?.[status]
      const isExpected = schemas === undefined ? status >= 200 && status <= 299 : schema !== undefined
      const { text, isWhole } = await readBody(answer.body, isExpected ? maxJsonBytes : maxErrorBytes)
      if (!isExpected)
        throw new UnexpectedStatusError(where, {
          status,
          responseHeaders,
          body: text,
          retryAfterMs: readRetryAfter(responseHeaders['retry-after'], now()),
        })
      if (!isWhole) throw new UnexpectedBodyError(where, `larger than ${maxJsonBytes} bytes`)
      const body = parse(text, where)
      if (schema !== undefined) await check(schema, body, where)
      return { status, headers: responseHeaders, body } as never // This cast is safe, because the body was validated against the schemas.
    }
  return {
    get: calls('GET'),
    post: calls('POST'),
    put: calls('PUT'),
    patch: calls('PATCH'),
    delete: calls('DELETE'),
  }
}

/**
 * Serializes a value as JSON.
 * @throws {TypeError} if JSON cannot represent the value
 */
function write(json: unknown): string {
  let text: string | undefined
  try {
    text = JSON.stringify(json)
  } catch (error) {
    throw new TypeError(`\`json\` cannot be serialized as JSON: ${messageOf(error)}`, { cause: error })
  }
  if (text === undefined || isWrittenAsNothing(json, text))
    throw new TypeError(`\`json\` is ${kindOf(json)}, which JSON cannot represent`)
  return text
}

/** Returns true for a value, such as a Promise or a Map, that JSON.stringify would convert to an empty object. */
function isWrittenAsNothing(json: unknown, text: string): boolean {
  return text === '{}' && !isPlainObject(json) && !('toJSON' in (json as object))
}

/**
 * Adds the default headers that the caller did not set. Converts header names to lower case, so that no header is sent
 * twice.
 */
function withJsonHeaders(given: JsonCallOptions['headers'], hasBody: boolean): Record<string, HeaderValue> {
  const own = [...headerPairs(given)].map(([name, value]) => [name.toLowerCase(), value] as const)
  const defaults = { accept: 'application/json', ...(hasBody && { 'content-type': 'application/json' }) }
  return { ...defaults, ...joinHeaders(own as Iterable<[string, HeaderValue]>, {}) }
}

function withQuery(path: string, query: JsonCallOptions['query']): string {
  if (query === undefined) return path
  const given = Object.entries(query).filter(([, value]) => value !== undefined)
  if (given.length === 0) return path
  const text = new URLSearchParams(
    given.map(([name, value]): [string, string] => [name, textOf(name, value)]),
  ).toString()
  return `${path}${path.includes('?') ? '&' : '?'}${text}`
}

/**
 * Converts a query value to text.
 * @throws {TypeError} for an object, which would be sent as `[object Object]`
 */
function textOf(name: string, value: unknown): string {
  if (['string', 'number', 'boolean', 'bigint'].includes(typeof value)) return String(value)
  throw new TypeError(`\`query.${name}\` is ${kindOf(value)}; expected a string, a number or a boolean`)
}

function parse(text: string, where: string): unknown {
  if (text === '') return undefined
  try {
    return JSON.parse(text)
  } catch {
    throw new UnexpectedBodyError(where, 'not JSON')
  }
}

type Validator = ReturnType<(typeof import('typebox/compile'))['Compile']>
const validators = new WeakMap<TSchema, Validator>()

/** Validates a body against a schema. Loads TypeBox on first use, because loading TypeBox is slow. */
async function check(schema: TSchema, body: unknown, where: string): Promise<void> {
  let validator = validators.get(schema)
  if (validator === undefined) {
    const { Compile } = await import('typebox/compile')
    validator = Compile(schema)
    validators.set(schema, validator)
  }
  if (validator.Check(body)) return
  // The message names the invalid paths and the schema rules but contains no values, because API data must not appear in logs.
  const problems = validator
    .Errors(body)
    .map(({ instancePath, message }) => `${instancePath || '/'} ${message}`)
  throw new UnexpectedBodyError(where, problems.slice(0, 3).join(', '))
}
