import type { Dispatcher, interceptors as undiciInterceptors } from 'undici'
import { withOwnErrors } from './api-errors.js'
import { loadUndici } from './undici.js'

type Options<Name extends keyof typeof undiciInterceptors> =
  | boolean
  | Parameters<(typeof undiciInterceptors)[Name]>[0]

/**
 * Interceptors of undici, each with its options or `true`. The client puts them where they belong. What `responseError`
 * and `retry` make of an answer is an `UnexpectedStatusError`, and not undici's error, which has the API's headers where
 * Fastify looks for ours.
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
 * From the connection outwards; `compose` runs the last one first. The order is a matter of security: outside the token
 * a cache would hand one caller's answer to another, and inside `dns` the allowed origin would match nothing. Outside
 * the token, `redirect` and `retry` have each hop and each attempt checked and given a token of its own.
 */
const inside: readonly InterceptorName[] = ['dns', 'deduplicate', 'cache']
const outside: readonly InterceptorName[] = ['redirect', 'retry', 'decompress', 'responseError']

export const interceptorNames: readonly InterceptorName[] = [...inside, ...outside]

/**
 * Puts the token where it belongs among the interceptors.
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
      .map(name => open(name, given[name]))
  const around = make(outside)
  if (around.length > 0) around.push(withOwnErrors(now))
  return transport.compose([...make(inside), token, ...around])
}

function open(name: InterceptorName, options: unknown): Dispatcher.DispatcherComposeInterceptor {
  const factory = loadUndici().interceptors[name] as (
    options?: object,
  ) => Dispatcher.DispatcherComposeInterceptor
  return options === true ? factory() : factory(options as object)
}
