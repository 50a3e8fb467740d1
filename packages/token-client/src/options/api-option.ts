import { isObject, parser, type Parser } from 'declared-options'
import type { TokenView } from '../call/token-view.js'
import { InvalidOptionError } from '../errors.js'
import type { Profile } from './profiles.js'
import type { Target } from './target-options.js'

/** What this client uses of an API: `api.pick(…)` of fastify-api-contract; any object with these members will do. */
export interface UsedApi {
  /** Whom tokens for the API are for. */
  readonly audience: string
  /** What all operations need. */
  readonly scopes: readonly string[]
  readonly operations: Readonly<Record<string, UsedOperation>>
  /** Typed calls over one client, or over the client that a function returns for each operation. */
  over(client: TokenView | ((operation: UsedOperation) => TokenView)): {
    readonly call: (...input: never[]) => Promise<unknown>
  }
}

/** What an operation needs. */
export interface UsedOperation {
  readonly scopes: readonly string[] | 'public'
}

/** Which tokens calls of operations carry. */
export type OperationTokens = 'shared' | 'per-operation'

export const apiOption: Parser<UsedApi> = parser({
  expected:
    "the operations that this client calls, such as receiptsApi.pick('putReceipt') of fastify-api-contract",
  read(value, { option, toError }) {
    if (isObject(value) && isObject(value['scopes']))
      throw toError(
        `option \`${option}\` is a whole API; pass api.pick(…) with the operations that this client calls`,
      )
    return isUsedApi(value) ? value : undefined
  },
})

function isUsedApi(value: unknown): value is UsedApi {
  return (
    isObject(value) &&
    typeof value['audience'] === 'string' &&
    Array.isArray(value['scopes']) &&
    isObject(value['operations']) &&
    typeof value['over'] === 'function'
  )
}

/** Calls of an API's operations. */
export interface ApiSettings {
  readonly used: UsedApi
  readonly tokens: OperationTokens
}

/** @throws {InvalidOptionError} if another option says the same as the API, or does nothing without it */
export function apiOf(
  given: { readonly api: UsedApi | undefined; readonly tokens: OperationTokens | undefined },
  options: object,
  { resource: meaning }: Profile,
): ApiSettings | undefined {
  const { api: used, tokens } = given
  if (used === undefined) {
    if (tokens === undefined) return undefined
    throw new InvalidOptionError('option `tokens` does nothing without `api`; leave it out')
  }
  for (const name of ['resource', 'audience'])
    if (Object.hasOwn(options, name))
      throw new InvalidOptionError(
        `option \`${name}\` cannot be combined with \`api\`, which sets the audience; leave it out`,
      )
  if (tokens === 'per-operation' && meaning === 'default scope')
    throw new InvalidOptionError(
      'option `tokens` is "per-operation", but tokens of this profile always have all permissions of the application; expected \'shared\'',
    )
  return Object.freeze({ used, tokens: tokens ?? 'shared' })
}

/** The API's audience and scopes, in the form that the profile requires; scopes of calls by hand are added. */
export function targetWith(
  api: ApiSettings | undefined,
  given: Target,
  { resource: meaning }: Profile,
): Target {
  if (api === undefined) return given
  const { audience, scopes } = api.used
  return {
    ...given,
    scopes: meaning === 'default scope' ? given.scopes : [...new Set([...scopes, ...given.scopes])],
    resource: meaning === 'unknown' ? [] : [audience],
  }
}
