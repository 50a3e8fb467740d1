/** Whether a request body can be sent twice: what was read from a stream or an iterator is gone. */
export function isReplayable(body: unknown): boolean {
  if (body === null || body === undefined || typeof body === 'string') return true
  if (ArrayBuffer.isView(body) || body instanceof ArrayBuffer) return true
  const { arrayBuffer, getAll } = body as { arrayBuffer?: unknown; getAll?: unknown }
  // Blob and FormData, by their shape: undici and Node have a class each.
  return typeof arrayBuffer === 'function' || typeof getAll === 'function'
}
