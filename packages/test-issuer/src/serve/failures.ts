import { refuseUnknownNames } from '../known-names.js'
import { refuseUnknownEndpoint, type Endpoint } from './endpoints.js'

/** How an endpoint misbehaves. With `delayMs` alone it is slow, and right. */
export interface Failure {
  /** The status of the answer. Default 500 when a body or headers are given, else the true answer's. */
  status?: number
  /** Headers of the answer: `retry-after`, say. */
  headers?: Readonly<Record<string, string>>
  /** The body: text as it is, anything else as JSON. */
  body?: unknown
  /** How long the answer takes, in milliseconds. */
  delayMs?: number
  /** How many requests it happens to. Default: until `recover`. */
  times?: number
}

/** Failures that wait for their requests: those of one endpoint happen in the order in which they were asked for. */
export interface Failures {
  add(endpoint: Endpoint, failure: Failure): void
  /** What happens to this request, if anything. */
  take(endpoint: Endpoint): Failure | undefined
  /** Takes every failure of an endpoint, or of all, back. */
  clear(endpoint?: Endpoint): void
}

export function createFailures(): Failures {
  const waiting = new Map<Endpoint, { failure: Failure; left: number }[]>()
  return {
    add(endpoint, failure) {
      check(endpoint, failure)
      const list = waiting.get(endpoint) ?? []
      waiting.set(endpoint, [...list, { failure, left: failure.times ?? Infinity }])
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

/** @throws {TypeError} where a failure would be none, or another than was meant */
function check(endpoint: Endpoint, failure: Failure): void {
  refuseUnknownEndpoint('fail()', endpoint)
  refuseUnknownNames('fail()', failure, ['status', 'headers', 'body', 'delayMs', 'times'])
  const { times, delayMs, status, headers, body } = failure
  if ([status, headers, body, delayMs].every(value => value === undefined))
    throw wants('wants to know how: give status, body, headers or delayMs')
  if (status !== undefined && !(Number.isInteger(status) && status >= 200 && status <= 599))
    throw wants(`wants a status from 200 to 599, not ${status}`)
  // Node's timers end at once where the time is longer.
  if (delayMs !== undefined && !(delayMs >= 0 && delayMs <= 2_147_483_647))
    throw wants(`wants delayMs in milliseconds, up to 2147483647, not ${delayMs}`)
  tryOut('headers that HTTP can carry', () => new Headers(headers))
  tryOut('a body that is text or can be JSON', () => JSON.stringify(body))
  if (times !== undefined && !(Number.isInteger(times) && times > 0))
    throw wants(`wants times as a count from 1 on, not ${times}`)
}

function tryOut(what: string, use: () => unknown): void {
  try {
    use()
  } catch (error) {
    throw wants(`wants ${what}: ${(error as Error).message}`)
  }
}

function wants(what: string): TypeError {
  return new TypeError(`oauth-test-issuer: fail() ${what}`)
}
