import { count, milliseconds, optional, type Declares } from 'declared-options'
import { readOptions, usableBy, wrong } from '../read-options.js'
import { refuseUnknownEndpoint, type Endpoint } from './endpoints.js'

/** How an endpoint should fail. If only `delayMs` is set, the endpoint sends its normal response after the delay. */
export interface Failure {
  /** The status code of the response. Default: 500 if `body` or `headers` is set, otherwise the normal status code. */
  status?: number
  /** The headers of the response, such as `retry-after`. */
  headers?: Readonly<Record<string, string>>
  /** The body of the response. Strings are sent unchanged, and other values are sent as JSON. */
  body?: unknown
  /** The delay before the response, in milliseconds. Default: none. */
  delayMs?: number
  /** The number of requests that fail. Default: all requests until `recover()` is called. */
  times?: number
}

/**
 * The failures that a test has planned. If several are planned for one endpoint, they occur in the order in which they
 * were added.
 */
export interface Failures {
  add(endpoint: Endpoint, failure: Failure): void
  /** Returns the failure for the next request, or undefined if no failure is planned. */
  take(endpoint: Endpoint): Failure | undefined
  /** Removes the failures of an endpoint. Without an argument, removes all failures. */
  clear(endpoint?: Endpoint): void
}

export function createFailures(): Failures {
  const waiting = new Map<Endpoint, { failure: Failure; left: number }[]>()
  return {
    add(endpoint, failure) {
      refuseUnknownEndpoint('fail()', endpoint)
      const { status, headers, body, delayMs, times = Infinity } = readOptions('fail()', failure, declaration)
      if ([status, headers, body, delayMs].every(value => value === undefined))
        throw wrong('fail()', 'set at least one of `status`, `body`, `headers` and `delayMs`')
      const list = waiting.get(endpoint) ?? []
      waiting.set(endpoint, [...list, { failure, left: times }])
    },
    take(endpoint) {
      const [first, ...rest] = waiting.get(endpoint) ?? []
      if (first === undefined) return undefined
      first.left -= 1
      if (first.left <= 0) waiting.set(endpoint, rest)
      return first.failure
    },
    clear(endpoint) {
      if (endpoint === undefined) return waiting.clear()
      refuseUnknownEndpoint('recover()', endpoint)
      waiting.delete(endpoint)
    },
  }
}

const declaration = {
  status: optional(count({ min: 200, max: 599 })),
  headers: optional(
    usableBy((headers: Record<string, string>) => new Headers(headers), 'valid HTTP headers'),
  ),
  body: optional(usableBy(JSON.stringify, 'a string, or a value that JSON can represent')),
  delayMs: optional(milliseconds()),
  times: optional(count({ min: 1 })),
} satisfies Declares<Failure>
