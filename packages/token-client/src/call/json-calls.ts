import type { Static, TSchema } from 'typebox'
import type { Dispatcher } from 'undici'
import { UnexpectedBodyError, UnexpectedStatusError } from '../errors.js'
import { readRetryAfter } from '../retry-after.js'
import { checkOptions, checkPath, kindOf } from './check-arguments.js'
import { readBody } from './read-body.js'
import type { CallOptions } from './token-view.js'

/** Statuses → TypeBox schemas of what the API answers with them. */
export type AnswerSchemas = Readonly<Record<number, TSchema>>

/** What a call with JSON takes. */
export interface JsonCallOptions<Schemas extends AnswerSchemas | undefined = AnswerSchemas | undefined> {
  /** Sent as JSON. */
  json?: unknown
  /** Put behind the path; `undefined` members are left out. */
  query?: Readonly<Record<string, string | number | boolean | undefined>>
  headers?: Readonly<Record<string, string>>
  signal?: AbortSignal
  /**
   * The answers that are expected: others are errors. Without it, any 2xx is taken, and its body is `unknown`. A body of
   * an API that sends none is `undefined`.
   */
  response?: Schemas
}

/** An answer that was expected; its status tells the type of its body. */
export type JsonAnswer<Schemas extends AnswerSchemas | undefined> = Schemas extends AnswerSchemas
  ? {
      [Status in keyof Schemas & number]: {
        readonly status: Status
        readonly headers: Dispatcher.ResponseData['headers']
        readonly body: Static<Schemas[Status]>
      }
    }[keyof Schemas & number]
  : { readonly status: number; readonly headers: Dispatcher.ResponseData['headers']; readonly body: unknown }

/** Who expects more reads it from the stream that `request` gives. */
const maxJsonBytes = 10 * 1024 * 1024
/** An error has 1000 characters of what was said; the rest is read for the sake of the connection, if there is not much. */
const maxErrorBytes = 65_536

/**
 * Calls with JSON of up to 10 MiB, unpacked. Rejects with `UnexpectedStatusError` and `UnexpectedBodyError` besides what
 * `request` rejects with.
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

/** One that is missing here does not compile. */
const optionNames = Object.keys({
  json: true,
  query: true,
  headers: true,
  signal: true,
  response: true,
} satisfies Record<keyof JsonCallOptions, true>)

/**
 * @param request sends a call with the token
 * @param now milliseconds since the epoch
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
      const answer = await request({
        method,
        path: withQuery(path, query),
        headers: {
          accept: 'application/json',
          ...(json === undefined ? {} : { 'content-type': 'application/json' }),
          ...inLowerCase(headers),
        },
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
      if (!isWhole) throw new UnexpectedBodyError(where, `it is larger than ${maxJsonBytes} bytes`)
      const body = parse(text, where)
      if (schema !== undefined) await check(schema, body, where)
      return { status, headers: responseHeaders, body } as never // its type is the schemas', which have been checked
    }
  return {
    get: calls('GET'),
    post: calls('POST'),
    put: calls('PUT'),
    patch: calls('PATCH'),
    delete: calls('DELETE'),
  }
}

/** @throws {TypeError} when there is no JSON for it */
function write(json: unknown): string {
  let text: string | undefined
  try {
    text = JSON.stringify(json)
  } catch (error) {
    throw new TypeError(`\`json\` cannot be written as JSON: ${(error as Error).message}`, { cause: error })
  }
  if (text === undefined) throw new TypeError(`\`json\` is ${kindOf(json)}; there is no JSON for it`)
  return text
}

/** So that a caller's `Accept` takes the place of ours, and does not go out beside it. */
function inLowerCase(headers: JsonCallOptions['headers'] = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
}

function withQuery(path: string, query: JsonCallOptions['query']): string {
  if (query === undefined) return path
  const given = Object.entries(query).filter(([, value]) => value !== undefined)
  if (given.length === 0) return path
  const text = new URLSearchParams(
    given.map(([name, value]): [string, string] => [name, String(value)]),
  ).toString()
  return `${path}${path.includes('?') ? '&' : '?'}${text}`
}

function parse(text: string, where: string): unknown {
  if (text === '') return undefined
  try {
    return JSON.parse(text)
  } catch {
    throw new UnexpectedBodyError(where, 'it is no JSON')
  }
}

type Validator = ReturnType<(typeof import('typebox/compile'))['Compile']>
const validators = new WeakMap<TSchema, Validator>()

/** TypeBox is loaded with the first schema: it takes longer to load than all the rest. */
async function check(schema: TSchema, body: unknown, where: string): Promise<void> {
  let validator = validators.get(schema)
  if (validator === undefined) {
    const { Compile } = await import('typebox/compile')
    validator = Compile(schema)
    validators.set(schema, validator)
  }
  if (validator.Check(body)) return
  // Paths and rules, not values: what an API answers has no place in our log.
  const problems = validator
    .Errors(body)
    .map(({ instancePath, message }) => `${instancePath || '/'} ${message}`)
  throw new UnexpectedBodyError(where, problems.slice(0, 3).join(', '))
}
