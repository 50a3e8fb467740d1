import type { Dispatcher, interceptors as undiciInterceptors } from 'undici'
import { withOwnErrors } from './api-errors.js'
import { loadUndici } from './load-undici.cjs'

type Options<Name extends keyof typeof undiciInterceptors> =
  | boolean
  | Parameters<(typeof undiciInterceptors)[Name]>[0]

/**
 * The undici interceptors to use, each with its options or `true`. The client composes the interceptors in a safe
 * order. With `responseError` or `retry`, calls reject with `UnexpectedStatusError` instead of undici's error, because
 * Fastify would send the `headers` of undici's error to external callers.
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
 * The order of the interceptors, starting with the one next to the connection. This order is important for security.
 * Requests reach the cache after the token interceptor, because a cache that does not see the token could return one
 * caller's response to another caller. Requests reach `dns` after the token interceptor, because `dns` changes the
 * origin that the token interceptor checks. Requests pass through `redirect` and `retry` before the token interceptor,
 * so that each redirect and each retry is checked.
 */
const inside: readonly InterceptorName[] = ['dns', 'deduplicate', 'cache']
const outside: readonly InterceptorName[] = ['redirect', 'retry', 'decompress', 'responseError']

/**
 * Composes the token interceptor with the given interceptors.
 * @param now returns the time in milliseconds since the epoch
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
 * Catches exceptions from the user's `retry` function, so that the call fails with the original error. undici does not
 * catch such exceptions, so the call might otherwise never end, or the process might exit.
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
