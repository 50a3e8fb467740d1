import { setTimeout as delay } from 'node:timers/promises'
import type { Endpoint } from './endpoints.js'
import { bodyTooLarge, json, maxBodyBytes, type IssuerRequest, type IssuerResponse } from './exchange.js'
import type { Failure, Failures } from './failures.js'
import type { RecordDraft, RequestLog } from './recorded-requests.js'

/** Handles a request to one endpoint. */
export type Answer = (request: IssuerRequest, record: RecordDraft) => IssuerResponse | Promise<IssuerResponse>

/** Handles any request to the issuer, with or without a socket. */
export type Handle = (request: IssuerRequest) => Promise<IssuerResponse>

/** The parts of an issuer that {@link createHandle} uses. */
export interface Parts {
  readonly endpoints: ReadonlyMap<string, Endpoint>
  readonly answers: Readonly<Record<Endpoint, Answer>>
  readonly failures: Failures
  readonly log: RequestLog
  /** A signal that is aborted when the issuer is closed, so that delayed requests end immediately. */
  readonly closing: AbortSignal
}

const methods: Readonly<Record<Endpoint, string>> = {
  discovery: 'GET',
  jwks: 'GET',
  token: 'POST',
  introspection: 'POST',
}

/**
 * Creates the request handler of the issuer. The handler records each request, finds the endpoint, and returns a planned
 * failure or the normal response.
 */
export function createHandle({ endpoints, answers, failures, log, closing }: Parts): Handle {
  return async request => {
    const endpoint = endpoints.get(request.path)
    const record = log.begin(request.method, request.path, endpoint)
    const response = await respond(endpoint, request, record)
    record.status = response.status
    return response
  }

  async function respond(
    endpoint: Endpoint | undefined,
    request: IssuerRequest,
    record: RecordDraft,
  ): Promise<IssuerResponse> {
    if (endpoint === undefined) return json(404, { error: 'not_found' })
    const failure = failures.take(endpoint)
    if (failure?.delayMs !== undefined)
      await delay(failure.delayMs, undefined, { signal: AbortSignal.any([closing, request.signal]) })
    const failed = failure === undefined ? undefined : failedResponse(failure)
    if (failed !== undefined) return failed
    if (request.method !== methods[endpoint] && !isHeadOf(request, endpoint))
      return json(405, { error: 'invalid_request' }, { allow: methods[endpoint] })
    if (Buffer.byteLength(request.body) > maxBodyBytes) return bodyTooLarge()
    return answers[endpoint](request, record)
  }
}

/** A HEAD request receives the same response as a GET request (RFC 9110 §9.3.2). The transport omits the body. */
function isHeadOf({ method }: IssuerRequest, endpoint: Endpoint): boolean {
  return method === 'HEAD' && methods[endpoint] === 'GET'
}

function failedResponse({ status, headers, body }: Failure): IssuerResponse | undefined {
  if (status === undefined && headers === undefined && body === undefined) return undefined
  if (typeof body === 'string' || body === undefined)
    return {
      status: status ?? 500,
      headers: { 'content-type': 'text/plain', ...headers },
      body: body ?? '',
    }
  return json(status ?? 500, body, { ...headers })
}
