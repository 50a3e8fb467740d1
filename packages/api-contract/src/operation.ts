import type { Static, TObject, TSchema } from 'typebox'

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

// A TypeBox schema. All properties of `TSchema` are optional, so without `& object`, strings would be accepted.
export type Schema = TSchema & object

export interface Operation<Scope extends string = string> {
  readonly method: Method
  /** The path, such as `/receipts/:paymentId`. Each parameter must be a whole path segment. */
  readonly path: `/${string}`
  /** The scopes that a token must have. `[]` accepts any valid token, and `'public'` requires no token. */
  readonly scopes: readonly Scope[] | 'public'
  readonly params?: TObject
  readonly query?: TObject
  /** The schema of the JSON body. GET operations cannot have a body. */
  readonly body?: Schema
  /** Maps each status code to the schema of its JSON body, or to `null` if the response has no body. */
  readonly responses: Readonly<Record<number, Schema | null>>
  /** The summary in the OpenAPI document. */
  readonly summary?: string
}

export type Operations<Scope extends string = string> = Readonly<Record<string, Operation<Scope>>>

// The parameter names in a path, such as `'b' | 'd'` for `'/a/:b/c/:d'`.
export type PathParameters<Path extends string> = Path extends `${string}/:${infer Rest}`
  ? Rest extends `${infer Name}/${infer More}`
    ? Name | PathParameters<`/${More}`>
    : Rest
  : never

// Checks the rules that `Operation` cannot express: no unknown members, one schema per path parameter, at least one response, and no body for GET.
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

// The type of the value that a schema describes.
export type BodyOf<S> = S extends TSchema ? Static<S> : undefined

// The text that editors show for an operation, such as `PUT /receipts/:paymentId · receipts:write`.
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
