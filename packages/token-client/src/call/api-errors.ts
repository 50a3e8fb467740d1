import type { Dispatcher } from 'undici'
import { UnexpectedBodyError, UnexpectedStatusError } from '../errors.js'
import { readRetryAfter } from '../retry-after.js'

/** An error from undici's interceptor `retry` or `responseError`. The error contains the API's response. */
interface ApiError extends Error {
  readonly statusCode: number
  readonly headers: Dispatcher.ResponseData['headers']
  /** The response body, parsed if it is JSON. */
  readonly body?: unknown
}

/**
 * Replaces the errors from undici's interceptors `retry` and `responseError` with this package's own errors. Fastify
 * would send the `statusCode` and `headers` of undici's errors to external callers. These callers could then receive
 * the API's cookies, or a 401 status that concerns this client's token and not their own.
 * @param now returns the time in milliseconds since the epoch
 */
export function withOwnErrors(now: () => number): Dispatcher.DispatcherComposeInterceptor {
  return dispatch => (request, handler) =>
    dispatch(request, {
      onRequestStart: (controller, context) => handler.onRequestStart?.(controller, context),
      onRequestUpgrade: (controller, statusCode, headers, socket) =>
        handler.onRequestUpgrade?.(controller, statusCode, headers, socket),
      onResponseStart: (controller, statusCode, headers, statusMessage) =>
        handler.onResponseStart?.(controller, statusCode, headers, statusMessage),
      onResponseData: (controller, chunk) => handler.onResponseData?.(controller, chunk),
      onResponseEnd: (controller, trailers) => handler.onResponseEnd?.(controller, trailers),
      onResponseError: (controller, error) =>
        handler.onResponseError?.(controller, isApiError(error) ? ownError(error, request, now) : error),
    })
}

function isApiError(error: Error & { code?: unknown }): error is ApiError {
  return error.code === 'UND_ERR_REQ_RETRY' || error.code === 'UND_ERR_RESPONSE'
}

function ownError(error: ApiError, { method, path }: Dispatcher.DispatchOptions, now: () => number): Error {
  const call = `${method} ${path.split('?')[0]}`
  const { statusCode: status, headers, body = '' } = error
  // The caller has already received part of the body, and `retry` could not fetch the matching remainder.
  if (status < 400) return new UnexpectedBodyError(call, error.message)
  return new UnexpectedStatusError(call, {
    status,
    responseHeaders: headers,
    body: typeof body === 'string' ? body : JSON.stringify(body),
    retryAfterMs: readRetryAfter(headers['retry-after'], now()),
  })
}
