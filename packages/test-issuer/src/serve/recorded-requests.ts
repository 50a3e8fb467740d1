import { refuseUnknownEndpoint, type Endpoint } from './endpoints.js'

/** A request that the issuer received. Records never contain secrets, assertions or tokens. */
export interface RecordedRequest {
  readonly method: string
  readonly path: string
  /** The endpoint, or undefined if the issuer has no endpoint at this path. */
  readonly endpoint: Endpoint | undefined
  /** The client id, or undefined if the client was not authenticated. */
  readonly clientId: string | undefined
  readonly grantType: string | undefined
  /** The `scope` parameter as received. */
  readonly scope: string | undefined
  /** The values of the `resource` and `audience` parameters as received. */
  readonly targets: readonly string[]
  /** The arrival time according to the issuer's clock, in milliseconds since the epoch. */
  readonly at: number
  /** The status code of the response, or undefined until the response is sent. */
  readonly status: number | undefined
}

/** All requests, in order of arrival. */
export interface RecordedRequests extends Iterable<RecordedRequest> {
  readonly length: number
  /** Returns the recorded request at the given index. Negative indexes count from the end. */
  at(index: number): RecordedRequest | undefined
  /** Returns the number of requests to the given endpoint. Without an argument, counts all requests. */
  count(endpoint?: Endpoint): number
  /** Returns the requests to the given endpoint. */
  of(endpoint: Endpoint): readonly RecordedRequest[]
  /** Removes all records. */
  clear(): void
}

/** The record of a request that is still in progress. */
export type RecordDraft = { -readonly [Key in keyof RecordedRequest]: RecordedRequest[Key] }

export interface RequestLog {
  readonly requests: RecordedRequests
  begin(method: string, path: string, endpoint: Endpoint | undefined): RecordDraft
}

export function createRequestLog(now: () => number): RequestLog {
  let records: RecordDraft[] = []
  const of = (endpoint: Endpoint): readonly RecordedRequest[] => {
    refuseUnknownEndpoint('requests', endpoint)
    return records.filter(record => record.endpoint === endpoint)
  }
  return {
    requests: {
      get length() {
        return records.length
      },
      at: index => records.at(index),
      count: endpoint => (endpoint === undefined ? records.length : of(endpoint).length),
      of,
      clear() {
        records = []
      },
      [Symbol.iterator]: () => records[Symbol.iterator](),
    },
    begin(method, path, endpoint) {
      const record: RecordDraft = {
        method,
        path,
        endpoint,
        clientId: undefined,
        grantType: undefined,
        scope: undefined,
        targets: [],
        at: now(),
        status: undefined,
      }
      records.push(record)
      return record
    },
  }
}
