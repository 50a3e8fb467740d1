import { isObject, parser, type Parser } from 'declared-options'
import type { TokenView } from '../call/token-view.js'
import { InvalidOptionError } from '../errors.js'
import type { Profile } from './profiles.js'
import type { Target } from './target-options.js'

/**
 * The operations of an API that this client calls: the result of `api.pick(…)` from fastify-api-contract, or any object
 * with the same members.
 */
export interface UsedApi {
  /** The audience of the API's tokens. */
  readonly audience: string
  /** All scopes that the operations need. */
  readonly scopes: readonly string[]
  readonly operations: Readonly<Record<string, UsedOperation>>
  /**
   * Creates typed calls. All calls use the given client. If a function is given instead, each call uses the client that
   * the function returns for the operation.
   */
  over(client: TokenView | ((operation: UsedOperation) => TokenView)): {
    readonly call: (...input: never[]) => Promise<unknown>
  }
}

/** The scopes that an operation of the API requires. */
export interface UsedOperation {
  readonly scopes: readonly string[] | 'public'
}

/** Whether all operations share one token, or each operation has its own token. */
export type OperationTokens = 'shared' | 'per-operation'

export const apiOption: Parser<UsedApi> = parser({
  expected: 'the operations that this client calls: the result of api.pick(…) from fastify-api-contract',
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

/** The parsed options `api` and `tokens`. */
export interface ApiSettings {
  readonly used: UsedApi
  readonly tokens: OperationTokens
}

/**
 * Combines the options `api` and `tokens`.
 * @throws {InvalidOptionError} if `api` or `tokens` contradicts another option
 */
export function apiOf(
  given: { readonly api: UsedApi | undefined; readonly tokens: OperationTokens | undefined },
  options: object,
  { resource: meaning }: Profile,
): ApiSettings | undefined {
  const { api: used, tokens } = given
  if (used === undefined) {
    if (tokens === undefined) return undefined
    throw new InvalidOptionError('option `tokens` has no effect without `api`; leave it out')
  }
  for (const name of ['resource', 'audience'])
    if (Object.hasOwn(options, name))
      throw new InvalidOptionError(
        `option \`${name}\` cannot be combined with \`api\`, which sets the audience; leave it out`,
      )
  if (tokens === 'per-operation' && meaning === 'default scope')
    throw new InvalidOptionError(
      'option `tokens` is "per-operation", but with this profile, every token has all permissions of the application; expected \'shared\'',
    )
  return Object.freeze({ used, tokens: tokens ?? 'shared' })
}

/** Adds the API's audience and scopes to the token request, in the form that the profile requires. */
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
