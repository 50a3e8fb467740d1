import type { Dispatcher, interceptors as undiciInterceptors } from 'undici'
import { withOwnErrors } from './api-errors.js'
import { loadUndici } from './load-undici.cjs'

type Options<Name extends keyof typeof undiciInterceptors> =
  | boolean
  | Parameters<(typeof undiciInterceptors)[Name]>[0]

/**
 * Interceptors of undici, each with its options or `true`. The client puts each in its place. `responseError` and `retry`
 * reject with `UnexpectedStatusError` instead of undici's error, whose `headers` Fastify would send to its own caller.
 */
export interface InterceptorOptions {
  dns?: Options<'dns'>
  deduplicate?: Options<'deduplicate'>
  cache?: Options<'cache'>
  redirect?: Options<'redirect'>
  retry?: Options<'retry'>
  decompress?: Options<'decompress'>
  responseError?: Options<'responseError'>
}

export type InterceptorName = keyof InterceptorOptions

/**
 * From the connection outwards; `compose` runs the last one first. The order matters for security: outside the token, a
 * cache would give one caller's answer to another; inside `dns`, no origin would match the allowed one. Outside the token,
 * `redirect` and `retry` have each hop and each attempt checked, and sent with a current token.
 */
const inside: readonly InterceptorName[] = ['dns', 'deduplicate', 'cache']
const outside: readonly InterceptorName[] = ['redirect', 'retry', 'decompress', 'responseError']

/**
 * Puts the token's interceptor in its place among the given ones.
 * @param now milliseconds since the epoch
 */
export function composeAround(
  transport: Dispatcher,
  token: Dispatcher.DispatcherComposeInterceptor,
  given: InterceptorOptions,
  now: () => number,
): Dispatcher {
  const make = (names: readonly InterceptorName[]): Dispatcher.DispatcherComposeInterceptor[] =>
    names
      .filter(name => given[name] !== undefined && given[name] !== false)
      .map(name => createInterceptor(name, given[name]))
  const around = make(outside)
  if (around.length > 0) around.push(withOwnErrors(now))
  return transport.compose([...make(inside), token, ...around])
}

function createInterceptor(name: InterceptorName, options: unknown): Dispatcher.DispatcherComposeInterceptor {
  const factory = loadUndici().interceptors[name] as (
    options?: object,
  ) => Dispatcher.DispatcherComposeInterceptor
  if (options === true) return factory()
  return factory(name === 'retry' ? withContainedRetry(options as RetryOptions) : (options as object))
}

type RetryOptions = NonNullable<Parameters<typeof undiciInterceptors.retry>[0]>
type Retry = (...given: Parameters<NonNullable<RetryOptions['retry']>>) => unknown

/**
 * undici does not catch what the function `retry` throws: depending on the failure, the call would never end, or the
 * process would. Such a call ends with the error that was to be retried.
 */
function withContainedRetry(options: RetryOptions): RetryOptions {
  const retry: Retry | undefined = options.retry
  if (typeof retry !== 'function') return options
  return {
    ...options,
    retry(failure, context, decide) {
      let over = false
      const decideOnce = (result?: Error | null): void => {
        if (over) return
        over = true
        decide(result)
      }
      try {
        const decided = retry(failure, context, decideOnce)
        if (decided instanceof Promise) decided.catch(() => decideOnce(failure))
      } catch {
        decideOnce(failure)
      }
    },
  }
}
