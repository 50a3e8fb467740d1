import type { Dispatcher } from 'undici'
import { toResponse, type IssuerAnswer } from './answer.js'
import { IssuerConnectionError, messageOf, type ConnectionProblem } from './errors.js'
import { dispatchersByIdentity, type DispatchersByIdentity } from './dispatchers-by-identity.js'
import { beforeAbort } from './in-time.js'
import { createAgent, issuerAgentOptions } from './open-dispatcher.js'
import { readBody } from './read-body.js'
import { fixedIdentity, type TlsIdentity, type TlsSource } from './tls-identity.js'

export interface ConnectionOptions {
  /** The undici 7 dispatcher to send requests with. The connection never closes this dispatcher. */
  readonly dispatcher?: Dispatcher | undefined
  /** The time limit in milliseconds for all requests of an exchange together. Default 5000. */
  readonly timeoutMs?: number
  /**
   * The TLS settings, or a function that returns the current client certificate. The function is called for each group
   * of requests that share a time limit. If the function rejects, these requests fail.
   */
  readonly tls?: TlsSource
  /** The maximum number of open connections. Default 2. */
  readonly connections?: number
}

export interface IssuerRequest {
  readonly method?: 'GET' | 'POST'
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** The maximum size of the response body in bytes, before and after decoding. Default 65536. */
  readonly maxBytes?: number
}

/** A group of requests that share one time limit. */
export interface IssuerExchange {
  /** A signal that aborts when the time limit is reached. */
  readonly signal: AbortSignal
  /**
   * Returns the client certificate and the private key that this exchange uses. Rejects if the option `tls` is a
   * function that rejects.
   */
  identity(): Promise<TlsIdentity>
  /**
   * Sends a request and resolves with the response, whatever its status. Redirects are not followed.
   * @throws {IssuerConnectionError} if the request fails or times out
   */
  request(url: string, request?: IssuerRequest): Promise<IssuerAnswer>
  /**
   * Sends a request. You can pass this function to oauth4webapi as the option `customFetch`.
   * @throws {IssuerConnectionError} if the request fails or times out
   */
  fetch(url: string, request: FetchRequest): Promise<Response>
}

/** The members of `RequestInit` that oauth4webapi uses. */
export interface FetchRequest {
  readonly method?: string
  readonly headers?: unknown
  readonly body?: unknown
}

/** A connection to an authorization server. */
export interface IssuerConnection {
  readonly timeoutMs: number
  /** Starts a group of requests that share one time limit. */
  exchange(): IssuerExchange
  /** Aborts in-flight requests and closes all connections that this object opened. */
  close(): Promise<void>
  isClosed(): boolean
}

export const defaultTimeoutMs = 5_000
export const defaultMaxBytes = 65_536

/** Creates a connection to an authorization server. No socket is opened before the first request. */
export function connectToIssuer(options: ConnectionOptions = {}): IssuerConnection {
  const { dispatcher: given, timeoutMs = defaultTimeoutMs, tls = {}, connections = 2 } = options
  const agentOptions = issuerAgentOptions(timeoutMs, connections)
  const readIdentity = typeof tls === 'function' ? tls : alwaysSame(fixedIdentity(tls))
  let own: DispatchersByIdentity | undefined
  let closed = false

  function refuseIfClosed(): void {
    if (closed) throw new Error('the connection is closed')
  }

  /**
   * Returns the dispatcher for a request. Loads undici only when the first request is sent, so that the application
   * starts faster.
   */
  async function dispatcherFor(identity: () => Promise<TlsIdentity>): Promise<Dispatcher> {
    refuseIfClosed()
    if (given !== undefined) return given
    const undici = await import('undici')
    const current = await identity()
    refuseIfClosed() // `close` may have been called while undici was being imported
    own ??= dispatchersByIdentity(settings => createAgent(undici, settings, agentOptions))
    return own.for(current)
  }

  return {
    timeoutMs,
    exchange() {
      const signal = AbortSignal.timeout(timeoutMs)
      let read: Promise<TlsIdentity> | undefined
      const identity = (): Promise<TlsIdentity> => (read ??= readIdentity())
      const request: IssuerExchange['request'] = (url, what = {}) =>
        send(url, what, { dispatcher: () => dispatcherFor(identity), signal, timeoutMs })
      return {
        signal,
        identity,
        request,
        fetch: async (url, init) => toResponse(await request(url, requestFrom(init))),
      }
    },
    async close() {
      closed = true
      await own?.destroy()
    },
    isClosed: () => closed,
  }
}

function alwaysSame<T>(value: T): () => Promise<T> {
  return async () => value
}

interface Sending {
  readonly dispatcher: () => Promise<Dispatcher>
  readonly signal: AbortSignal
  readonly timeoutMs: number
}

async function send(url: string, request: IssuerRequest, sending: Sending): Promise<IssuerAnswer> {
  const { signal, timeoutMs } = sending
  try {
    // undici leaves handling the abort signal to the dispatcher. A user-supplied dispatcher may ignore the signal, so `beforeAbort` handles it too.
    return await beforeAbort(ask(url, request, sending), signal)
  } catch (error) {
    throw new IssuerConnectionError(`${url}: ${reasonOf(error, signal, timeoutMs)}`, {
      problem: signal.aborted ? 'timeout' : problemBy(error),
      cause: error,
    })
  }
}

async function ask(
  url: string,
  request: IssuerRequest,
  { signal, ...sending }: Sending,
): Promise<IssuerAnswer> {
  const dispatcher = await sending.dispatcher()
  const undici = await import('undici')
  const answer: Partial<Dispatcher.ResponseData> = await undici.request(url, {
    method: request.method ?? 'GET',
    headers: { accept: 'application/json', ...request.headers, 'accept-encoding': 'identity' },
    body: request.body ?? null,
    dispatcher,
    signal,
  })
  const { statusCode: status, headers = {}, body } = answer
  // If a dispatcher throws a falsy value, undici resolves with no response instead of rejecting.
  if (status === undefined || body === undefined)
    throw new Error('the dispatcher ended the request without a response')
  const contentEncoding = [headers['content-encoding']].flat().join(', ')
  const contentType = [headers['content-type']].flat()[0]
  const read = await readBody(body, { contentEncoding, contentType }, request.maxBytes ?? defaultMaxBytes)
  return { url, status, headers, ...read }
}

function reasonOf(error: unknown, signal: AbortSignal, timeoutMs: number): string {
  if (signal.aborted) return `no response within ${timeoutMs} ms`
  const { message, code } = (error ?? {}) as Partial<NodeJS.ErrnoException>
  return message === '' ? (code ?? 'the connection failed') : messageOf(error)
}

/**
 * Derives the kind of failure from a Node.js, OpenSSL or undici error code, such as `UNABLE_TO_VERIFY_LEAF_SIGNATURE`.
 */
function problemBy(error: unknown): ConnectionProblem {
  const { code = '' } = (error ?? {}) as Partial<NodeJS.ErrnoException>
  if (/CERT|UNABLE_TO/.test(code)) return 'certificate'
  return /TIMEOUT|TIMEDOUT/.test(code) ? 'timeout' : 'unreachable'
}

/**
 * Converts the options that oauth4webapi passes to `fetch` into a request. oauth4webapi always passes the headers as an
 * object and the body as form data.
 */
export function requestFrom({ method, headers, body }: FetchRequest): IssuerRequest {
  return {
    method: method === 'POST' ? 'POST' : 'GET',
    headers: Object.fromEntries(new Headers(headers as Record<string, string> | undefined)),
    ...(body instanceof URLSearchParams || typeof body === 'string' ? { body: body.toString() } : {}),
  }
}
