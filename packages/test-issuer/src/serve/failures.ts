import type { Endpoint } from './endpoints.js'

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
      if (endpoint === undefined) waiting.clear()
      else waiting.delete(endpoint)
    },
  }
}
