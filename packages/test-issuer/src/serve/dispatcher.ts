import { EventEmitter } from 'node:events'
import type { IssuerFetch } from './fetch.js'

/** The undici request options that the dispatcher reads. */
interface DispatchOptions {
  readonly origin?: string | URL
  readonly path: string
  readonly method: string
  readonly headers?: unknown
  readonly body?: unknown
}

/** The handler methods of undici 7, and the older methods that Node's built-in fetch still uses. */
interface Handler {
  onRequestStart?(controller: object, context: object): void
  onResponseStart?(controller: object, status: number, headers: object, message: string): void
  onResponseData?(controller: object, chunk: Buffer): void
  onResponseEnd?(controller: object, trailers: object): void
  onResponseError?(controller: object, error: Error): void
  onConnect?(abort: (reason?: Error) => void, context: object): void
  onHeaders?(status: number, headers: Buffer[], resume: () => void, message: string): unknown
  onData?(chunk: Buffer): unknown
  onComplete?(trailers: Buffer[]): void
  onError?(error: Error): void
}

type Dispatch = (options: DispatchOptions, handler: Handler) => boolean
type Interceptor = (dispatch: Dispatch) => Dispatch

/** An undici dispatcher that sends every request to the issuer. Pass it to any option that accepts a dispatcher. */
export interface IssuerDispatcher extends EventEmitter {
  dispatch(options: DispatchOptions, handler: Handler): boolean
  compose(...interceptors: (Interceptor | readonly Interceptor[])[]): IssuerDispatcher
  close(): Promise<void>
  destroy(): Promise<void>
}

export function createDispatcher(fetch: IssuerFetch): IssuerDispatcher {
  return dispatcherOf((options, handler) => {
    // The promise never rejects, because `run` passes errors to the handler.
    void run(options, handler, fetch)
    return true
  })
}

function dispatcherOf(dispatch: Dispatch): IssuerDispatcher {
  return Object.assign(new EventEmitter(), {
    dispatch,
    // As in undici, the interceptor that was passed last receives the request first.
    compose: (...interceptors: (Interceptor | readonly Interceptor[])[]) =>
      dispatcherOf(interceptors.flat().reduce((inner, interceptor) => interceptor(inner), dispatch)),
    close: async () => {},
    destroy: async () => {},
  })
}

async function run(options: DispatchOptions, handler: Handler, fetch: IssuerFetch): Promise<void> {
  const aborted = new AbortController()
  const talk = handler.onRequestStart === undefined ? olderTalk(handler, aborted) : talkWith(handler, aborted)
  try {
    talk.start()
    const { origin = '', path, method } = options
    const body = await bodyText(options.body)
    const response = await fetch(new URL(path, origin), {
      method,
      headers: headerPairs(options.headers),
      signal: aborted.signal,
      ...(body === undefined ? {} : { body }),
    })
    const content = Buffer.from(await response.arrayBuffer())
    aborted.signal.throwIfAborted()
    talk.answer(response, content)
  } catch (error) {
    const cause = error instanceof TypeError && error.cause instanceof Error ? error.cause : error
    talk.fail(cause as Error)
  }
}

/** Reports the progress of one request to a handler. */
interface Talk {
  start(): void
  answer(response: Response, content: Buffer): void
  fail(error: Error): void
}

function talkWith(handler: Handler, aborted: AbortController): Talk {
  const controller = {
    rawHeaders: null,
    rawTrailers: null,
    paused: false,
    get aborted() {
      return aborted.signal.aborted
    },
    get reason() {
      return aborted.signal.reason as unknown
    },
    pause() {},
    resume() {},
    abort: (reason: Error) => aborted.abort(reason),
  }
  return {
    start: () => handler.onRequestStart?.(controller, {}),
    answer(response, content) {
      handler.onResponseStart?.(
        controller,
        response.status,
        Object.fromEntries(response.headers),
        response.statusText,
      )
      if (content.length > 0) handler.onResponseData?.(controller, content)
      aborted.signal.throwIfAborted()
      handler.onResponseEnd?.(controller, {})
    },
    fail: error => handler.onResponseError?.(controller, error),
  }
}

function olderTalk(handler: Handler, aborted: AbortController): Talk {
  return {
    start: () => handler.onConnect?.(reason => aborted.abort(reason), {}),
    answer(response, content) {
      const headers = [...response.headers].flat().map(text => Buffer.from(text))
      handler.onHeaders?.(response.status, headers, () => {}, response.statusText)
      if (content.length > 0) handler.onData?.(content)
      aborted.signal.throwIfAborted()
      handler.onComplete?.([])
    },
    fail: error => handler.onError?.(error),
  }
}

/** Converts headers to pairs of a name and a value. undici accepts headers as an object, as a flat list or as pairs. */
function headerPairs(headers: unknown): [string, string][] {
  return rawPairs(headers)
    .filter(([name, value]) => value !== undefined && String(name).toLowerCase() !== 'content-length')
    .map(([name, value]) => [String(name), String(value)])
}

function rawPairs(headers: unknown): (readonly unknown[])[] {
  if (typeof headers !== 'object' || headers === null) return []
  if (Array.isArray(headers) && !Array.isArray(headers[0]))
    return Array.from({ length: headers.length / 2 }, (_, index) => headers.slice(2 * index, 2 * index + 2))
  return Symbol.iterator in headers ? [...(headers as Iterable<unknown[]>)] : Object.entries(headers)
}

async function bodyText(body: unknown): Promise<string | undefined> {
  if (body === null || body === undefined) return undefined
  if (typeof body === 'string') return body
  if (body instanceof Uint8Array) return Buffer.from(body).toString('utf8')
  const chunks: Uint8Array[] = []
  for await (const chunk of body as AsyncIterable<Uint8Array | string>)
    chunks.push(Buffer.from(chunk as Uint8Array))
  return Buffer.concat(chunks).toString('utf8')
}
