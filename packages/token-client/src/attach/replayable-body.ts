import type { Readable } from 'node:stream'
import type { Dispatcher } from 'undici'
import { headerPairs } from './header-pairs.js'

/** A request whose body may be readable again. */
export interface Replayable {
  readonly request: Dispatcher.DispatchOptions
  /** The same request again; undefined if its body was consumed. */
  again(): Dispatcher.DispatchOptions | undefined
}

/** Larger streams are not buffered. */
const maxRememberedBytes = 65_536

/**
 * Makes a request that can be sent again, if possible. A stream or an iterator can be read once, so its chunks are
 * buffered while they are sent, if `content-length` says that it is small. (undici's `fetch` passes every body as an
 * iterator.)
 */
export function toReplayable(request: Dispatcher.DispatchOptions): Replayable {
  const { body } = request
  if (isLasting(body)) return { request, again: () => request }
  const length = Number(headerOf(request.headers, 'content-length') ?? Number.NaN)
  if (!(length <= maxRememberedBytes) || !isAsyncIterable(body)) return { request, again: () => undefined }
  const chunks: Uint8Array[] = []
  let size = 0
  const remembered = remember(body, chunk => {
    size += chunk.length
    chunks.push(chunk)
  })
  return {
    // undici takes iterators too; its types don't say so.
    request: { ...request, body: remembered as unknown as Readable },
    again: () => (size === length ? { ...request, body: Buffer.concat(chunks) } : undefined),
  }
}

/** Whether a body can be read any number of times. */
export function isLasting(body: unknown): boolean {
  if (body === null || body === undefined || typeof body === 'string') return true
  if (ArrayBuffer.isView(body) || body instanceof ArrayBuffer) return true
  const { arrayBuffer, getAll } = body as { arrayBuffer?: unknown; getAll?: unknown }
  // Blob and FormData by their shape, because undici and Node have different classes.
  return typeof arrayBuffer === 'function' || typeof getAll === 'function'
}

function isAsyncIterable(body: unknown): body is AsyncIterable<Uint8Array | string> {
  return typeof (body as { [Symbol.asyncIterator]?: unknown })[Symbol.asyncIterator] === 'function'
}

async function* remember(
  body: AsyncIterable<Uint8Array | string>,
  keep: (chunk: Uint8Array) => void,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of body) {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk
    keep(bytes)
    yield bytes
  }
}

function headerOf(headers: Dispatcher.DispatchOptions['headers'], wanted: string): unknown {
  for (const [name, value] of headerPairs(headers)) if (name.toLowerCase() === wanted) return value
  return undefined
}
