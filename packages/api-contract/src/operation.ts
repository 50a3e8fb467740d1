import type { Static, TObject, TSchema } from 'typebox'

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

// A TypeBox schema. `TSchema` has no required member, so it admits strings.
export type Schema = TSchema & object

/** What an operation is called with, what it answers, and the scopes that a call needs. */
export interface Operation<Scope extends string = string> {
  readonly method: Method
  /** A parameter is a whole segment: `/receipts/:paymentId`. */
  readonly path: `/${string}`
  /** The token must have all of these. `[]`: any valid token. `'public'`: no token. */
  readonly scopes: readonly Scope[] | 'public'
  /** Has each parameter of the path. */
  readonly params?: TObject
  readonly query?: TObject
  /** JSON; not for GET. */
  readonly body?: Schema
  /** Status → schema of its JSON body, or `null` if it has none. */
  readonly responses: Readonly<Record<number, Schema | null>>
  /** One line for the OpenAPI document. */
  readonly summary?: string
}

export type Operations<Scope extends string = string> = Readonly<Record<string, Operation<Scope>>>

// `'/a/:b/c/:d'` → `'b' | 'd'`
export type PathParameters<Path extends string> = Path extends `${string}/:${infer Rest}`
  ? Rest extends `${infer Name}/${infer More}`
    ? Name | PathParameters<`/${More}`>
    : Rest
  : never

// What `Operation` cannot say: no other members, matching params, an answer, no body for a GET.
export type Checked<O> = {
  readonly [Name in keyof O]: O[Name] extends Operation
    ? { readonly [Member in Exclude<keyof O[Name], keyof Operation>]: never } & CheckedParams<
        O[Name],
        PathParameters<O[Name]['path']>
      > &
        (O[Name]['method'] extends 'GET' ? { readonly body?: never } : unknown) &
        ([keyof O[Name]['responses']] extends [never]
          ? { readonly responses: { readonly 200: Schema } }
          : unknown)
    : unknown
}

export type CheckedParams<Op extends Operation, Names extends string> = [Names] extends [never]
  ? { readonly params?: never }
  : {
      readonly params: TObject<
        Record<Names, TSchema> &
          (Op['params'] extends TObject<infer Given> ? Record<Exclude<keyof Given, Names>, never> : unknown)
      >
    }

// The value that a schema describes.
export type BodyOf<S> = S extends TSchema ? Static<S> : undefined

// For hovers: `PUT /receipts/:paymentId · receipts:write`.
export type Summary<Op> = Op extends Operation
  ? `${Op['method']} ${Op['path']} · ${ScopeText<Op['scopes']>}`
  : never

export type ScopeText<Scopes> = Scopes extends readonly [infer Scope extends string, ...infer Rest]
  ? Rest extends readonly []
    ? Scope
    : `${Scope} ${ScopeText<Rest>}`
  : Scopes extends readonly []
    ? 'any token'
    : 'public'
