import type { Static, TObject, TOptional } from 'typebox'
import type { Received, ReceivedFrom } from './answer.js'
import { pathOf } from './build-path.js'
import { find } from './check-definition.js'
import { InvalidCallError } from './errors.js'
import type { Method, Operation, Operations, Schema, Summary } from './operation.js'
import { readAnswer } from './read-answer.js'

/** An HTTP client, such as fastify-token-client or an undici `Client` or `Pool`. */
export interface Client {
  request(options: {
    method: Method
    path: string
    headers: Record<string, string>
    body?: string
    signal?: AbortSignal
  }): Promise<Received>
}

// Returns the HTTP client for an operation, for example a client whose tokens have only the scopes that the operation needs.
export type ClientOf = (operation: { readonly name: string; readonly scopes: readonly string[] }) => Client

// oxlint-disable-next-line typescript/no-empty-object-type -- the type must be an empty object
export type Nothing = {}

export type Part<Member extends string, S> = S extends Schema
  ? { readonly [M in Member]: Static<S> }
  : unknown

// Makes `query` optional if all query parameters are optional. Deriving this from `Static<S>` would give the same result, but would take the compiler longer.
export type Query<S> =
  S extends TObject<infer P>
    ? P[keyof P] extends TOptional
      ? { readonly query?: Static<S> }
      : { readonly query: Static<S> }
    : unknown

// A conditional type, so that the compiler evaluates it separately for each operation in a union, instead of intersecting the input types of all operations.
export type Input<Op> = Op extends Operation
  ? Part<'params', Op['params']> &
      Query<Op['query']> &
      Part<'body', Op['body']> & {
        readonly headers?: Readonly<Record<string, string>>
        readonly signal?: AbortSignal
      }
  : never

// Maps each operation to its input type, so that the compiler evaluates only the input type of the operation that is called.
export type Inputs<O extends Operations> = {
  readonly [Name in keyof O]: Input<O[Name]>
}

export interface Calls<O extends Operations = Operations> {
  /** Calls an operation. Rejects with `InvalidCallError`, `UnexpectedAnswerError` or an error from the HTTP client. */
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- editors show this parameter as a summary of the operation
  readonly call: <Name extends keyof O & string, _Shown extends string = Summary<O[Name]>>(
    operation: Name,
    ...input: Inputs<O>[Name] extends infer I ? (Nothing extends I ? [input?: I] : [input: I]) : never
  ) => Promise<ReceivedFrom<O[Name]>>
}

interface AnyInput {
  readonly params?: object
  readonly query?: object
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
}

/**
 * Serializes a body. Returns undefined if JSON cannot represent the body, for example because it contains a bigint or a cycle.
 */
function toJson(body: unknown): string | undefined {
  try {
    return JSON.stringify(body)
  } catch {
    return undefined
  }
}

/** @internal */
export function callOver<O extends Operations>(operations: O, client: Client | ClientOf): Calls<O> {
  const call = async (name: string, input?: AnyInput | null): Promise<unknown> => {
    const { params, query, body, headers = {}, signal } = input ?? {}
    const { method, path, scopes, responses, body: schema } = find(operations, name)
    const json = schema && toJson(body)
    if (schema && json === undefined) throw new InvalidCallError(`${name}: body`, body, 'JSON')
    const target =
      typeof client === 'function' ? client({ name, scopes: scopes === 'public' ? [] : scopes }) : client
    if (typeof (target as Partial<Client> | undefined)?.request !== 'function')
      throw new InvalidCallError(`${name}: client`, target, 'an object with request()')
    const received = await target.request({
      method,
      path: pathOf(name, path, { ...params }, { ...query }),
      headers: {
        accept: 'application/json',
        ...(json && { 'content-type': 'application/json' }),
        ...Object.fromEntries(new Headers(headers)),
      },
      ...(json && { body: json }),
      ...(signal && { signal }),
    })
    return readAnswer(name, responses, received)
  }
  return { call: call as never } // The cast is needed because the types in `Calls` are more precise than those of this function.
}
