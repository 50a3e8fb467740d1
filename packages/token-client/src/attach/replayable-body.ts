import type { Readable } from 'node:stream'
import { asError } from 'oauth-issuer-connection'
import type { Dispatcher } from 'undici'
import { headerOf } from './header-pairs.js'

/** A request that the client may be able to send again. */
export interface Replayable {
  readonly request: Dispatcher.DispatchOptions
  /** Returns a request for a retry, or undefined if the body cannot be sent again. */
  again(): Dispatcher.DispatchOptions | undefined
}

/** The maximum size in bytes of a stream that is buffered. */
const maxRememberedBytes = 65_536

/**
 * Prepares a request for a possible retry. A stream or an iterator can be read only once, so a body of this kind is
 * buffered while it is sent, if its `content-length` is at most 64 KiB. This includes the bodies of `fetch` calls,
 * because undici's `fetch` passes every body as an iterator.
 */
export function toReplayable(request: Dispatcher.DispatchOptions): Replayable {
  const { body } = request
  if (isLasting(body)) return { request, again: () => request }
  if (isBlobLike(body)) {
    const contained = withBody(request, containBlob(body))
    return { request: contained, again: () => contained }
  }
  if (!isIterable(body)) return { request, again: () => undefined }
  const length = Number(headerOf(request.headers, 'content-length') ?? Number.NaN)
  if (length <= maxRememberedBytes) return rememberWhileSent(request, body, length)
  // A stream is passed on unchanged, because undici reads streams through events instead of iterating over them.
  if ('pipe' in body) return { request, again: () => undefined }
  return { request: withBody(request, read(body)), again: () => undefined }
}

function rememberWhileSent(
  request: Dispatcher.DispatchOptions,
  body: AnyIterable,
  length: number,
): Replayable {
  const chunks: Uint8Array[] = []
  let size = 0
  const remembered = read(body, chunk => {
    size += chunk.length
    chunks.push(chunk)
  })
  return {
    request: withBody(request, remembered),
    again: () => (size === length ? { ...request, body: Buffer.concat(chunks) } : undefined),
  }
}

function withBody(request: Dispatcher.DispatchOptions, body: object): Dispatcher.DispatchOptions {
  // This cast is needed because undici accepts iterators and blobs that its types do not allow.
  return { ...request, body: body as unknown as Readable }
}

/** Returns true if a body can be read more than once. */
export function isLasting(body: unknown): boolean {
  if (body === null || body === undefined || typeof body === 'string') return true
  if (ArrayBuffer.isView(body) || body instanceof ArrayBuffer) return true
  if (body instanceof Blob) return true
  // FormData is detected by one of its methods, because undici and Node.js have different FormData classes.
  return typeof (body as { getAll?: unknown }).getAll === 'function'
}

/** A value that undici treats as a Blob, although it is not an instance of Node.js's `Blob`. */
interface BlobLike {
  readonly size: number
  readonly type: string
  stream?(): AnyIterable
  arrayBuffer(): Promise<ArrayBuffer>
}

function isBlobLike(body: unknown): body is BlobLike {
  if (typeof body !== 'object' || body === null) return false
  const { arrayBuffer, [Symbol.toStringTag]: tag } = body as {
    arrayBuffer?: unknown
    [Symbol.toStringTag]?: unknown
  }
  return typeof arrayBuffer === 'function' && (tag === 'Blob' || tag === 'File')
}

/**
 * Wraps a blob so that exceptions from its `stream` method are handled. undici does not catch these exceptions, so
 * without the wrapper they would end the process.
 */
function containBlob(blob: BlobLike): object {
  const { size, type } = blob
  async function* chunks(): AsyncGenerator<Uint8Array> {
    if (typeof blob.stream === 'function') for await (const chunk of blob.stream()) yield toBytes(chunk)
    else yield new Uint8Array(await blob.arrayBuffer())
  }
  return { [Symbol.toStringTag]: 'Blob', size, type, stream: () => read(chunks()) }
}

type AnyIterable = AsyncIterable<Uint8Array | string> | Iterable<Uint8Array | string>

function isIterable(body: unknown): body is AnyIterable & object {
  if (typeof body !== 'object' || body === null) return false
  return Symbol.asyncIterator in body || Symbol.iterator in body
}

/**
 * Returns the chunks of a body. If reading the body throws a falsy value, throws an Error instead, because undici would
 * ignore the falsy value and the call would never end.
 */
async function* read(body: AnyIterable, keep?: (chunk: Uint8Array) => void): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of body) {
      const bytes = toBytes(chunk)
      keep?.(bytes)
      yield bytes
    }
  } catch (thrown) {
    throw asError(thrown)
  }
}

function toBytes(chunk: Uint8Array | string): Uint8Array {
  return typeof chunk === 'string' ? Buffer.from(chunk) : chunk
}
