import type { Readable } from 'node:stream'
import type { Dispatcher } from 'undici'

/** A request, and how to get its body once more. */
export interface Replayable {
  readonly request: Dispatcher.DispatchOptions
  /** The request with its body as it was; undefined when the body is gone. */
  again(): Dispatcher.DispatchOptions | undefined
}

/** Larger bodies are not remembered. */
const maxRememberedBytes = 65_536

/**
 * Makes a request that can be sent twice, where that is possible: what a stream or an iterator yields is gone
 * afterwards, so it is remembered while it goes out, if `content-length` says that it is small. (undici's `fetch` hands
 * over every body in this way.)
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

/** Whether a body can be read as often as one likes. */
export function isLasting(body: unknown): boolean {
  if (body === null || body === undefined || typeof body === 'string') return true
  if (ArrayBuffer.isView(body) || body instanceof ArrayBuffer) return true
  const { arrayBuffer, getAll } = body as { arrayBuffer?: unknown; getAll?: unknown }
  // Blob and FormData, by their shape: undici and Node have a class each.
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
  for (const [name, value] of pairsOf(headers)) if (name.toLowerCase() === wanted) return value
  return undefined
}

function pairsOf(headers: Dispatcher.DispatchOptions['headers']): Iterable<readonly [string, unknown]> {
  if (headers === null || headers === undefined) return []
  if (Array.isArray(headers) && !Array.isArray(headers[0]))
    return headers.flatMap((name, index) => (index % 2 === 0 ? [[name, headers[index + 1]] as const] : []))
  if (Symbol.iterator in headers) return headers as Iterable<[string, unknown]>
  return Object.entries(headers)
}
