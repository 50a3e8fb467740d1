import { count, milliseconds, optional, type Declares } from 'declared-options'
import { readOptions, usableBy, wrong } from '../read-options.js'
import { refuseUnknownEndpoint, type Endpoint } from './endpoints.js'

/** How an endpoint fails. With only `delayMs`, the answer is correct but late. */
export interface Failure {
  /**
   * The status of the answer. Default: 500 if a body or headers are given, otherwise the status of the normal answer.
   */
  status?: number
  /** Headers of the answer, such as `retry-after`. */
  headers?: Readonly<Record<string, string>>
  /** The body: text as it is, anything else as JSON. */
  body?: unknown
  /** How long the answer takes, in milliseconds. */
  delayMs?: number
  /** How many requests fail. Default: until `recover`. */
  times?: number
}

/** Failures that wait for their requests. Those of one endpoint occur in the order in which they were added. */
export interface Failures {
  add(endpoint: Endpoint, failure: Failure): void
  /** The failure for this request, if one is due. */
  take(endpoint: Endpoint): Failure | undefined
  /** Removes the failures of one endpoint, or of all. */
  clear(endpoint?: Endpoint): void
}

export function createFailures(): Failures {
  const waiting = new Map<Endpoint, { failure: Failure; left: number }[]>()
  return {
    add(endpoint, failure) {
      refuseUnknownEndpoint('fail()', endpoint)
      const { status, headers, body, delayMs, times = Infinity } = readOptions('fail()', failure, declaration)
      if ([status, headers, body, delayMs].every(value => value === undefined))
        throw wrong('fail()', 'give at least one of `status`, `body`, `headers` and `delayMs`')
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
    usableBy((headers: Record<string, string>) => new Headers(headers), 'headers that HTTP can carry'),
  ),
  body: optional(usableBy(JSON.stringify, 'text, or what JSON can carry')),
  delayMs: optional(milliseconds()),
  times: optional(count({ min: 1 })),
} satisfies Declares<Failure>
