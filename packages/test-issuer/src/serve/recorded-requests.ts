import { refuseUnknownEndpoint, type Endpoint } from './endpoints.js'

/** One request that reached the issuer. No secret, assertion or token is kept. */
export interface RecordedRequest {
  readonly method: string
  readonly path: string
  /** Undefined: a path that the issuer doesn't have. */
  readonly endpoint: Endpoint | undefined
  /** The client, once it has authenticated. */
  readonly clientId: string | undefined
  readonly grantType: string | undefined
  /** The scope parameter, as it was sent. */
  readonly scope: string | undefined
  /** The resource and audience parameters, as they were sent. */
  readonly targets: readonly string[]
  /** When it arrived, by the issuer's clock, in milliseconds since the epoch. */
  readonly at: number
  /** The answer's status; undefined until it is sent. */
  readonly status: number | undefined
}

/** Every request, in order. */
export interface RecordedRequests extends Iterable<RecordedRequest> {
  readonly length: number
  /** The request with this index; negative ones count from the end. */
  at(index: number): RecordedRequest | undefined
  /** The number of requests to one endpoint, or to all. */
  count(endpoint?: Endpoint): number
  /** The requests to one endpoint. */
  of(endpoint: Endpoint): readonly RecordedRequest[]
  /** Removes all records. */
  clear(): void
}

/** A record while its request is under way. */
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
