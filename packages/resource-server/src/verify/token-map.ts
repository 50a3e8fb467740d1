import { LRUCache } from 'lru-cache'

/** A map whose keys are `Authorization` headers. When it is full, the least recently used entry is discarded. */
export interface TokenMap<Value> {
  get(header: string): Value | undefined
  set(header: string, value: Value): void
  delete(header: string): void
  readonly size: number
}

/**
 * @param max the maximum number of headers
 * @param maxCharacters the maximum total length of the headers in characters. Default: unlimited
 */
export function createTokenMap<Value>(max: number, maxCharacters?: number): TokenMap<Value> {
  const entries = new LRUCache<number, { readonly header: string; readonly value: Value }>(
    maxCharacters === undefined
      ? { max }
      : { max, maxSize: maxCharacters, sizeCalculation: ({ header }) => header.length },
  )
  return {
    get(header) {
      const entry = entries.get(hashOfEnd(header))
      return entry?.header === header ? entry.value : undefined
    },
    set(header, value) {
      entries.set(hashOfEnd(header), { header: flat(header), value })
    },
    delete(header) {
      entries.delete(hashOfEnd(header))
    },
    get size() {
      return entries.size
    },
  }
}

/**
 * Copies a string into one contiguous block of memory, so that it can be compared quickly. Without the copy, a
 * substring would keep the whole original string in memory.
 */
function flat(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1')
}

/**
 * The number of hashed characters. Only the last characters of the token's signature are hashed, because they differ
 * between tokens.
 */
const tailLength = 12

/**
 * Hashes the last characters of a header to 32 bits. A `Map` keyed by the whole header would be slower, because V8
 * would hash every character of each request's header. If two headers have the same hash, the later header replaces the
 * earlier one in the cache.
 */
function hashOfEnd(text: string): number {
  let hash = 0
  for (let index = Math.max(0, text.length - tailLength); index < text.length; index += 1)
    hash = (Math.imul(hash, 31) + text.charCodeAt(index)) | 0
  return hash
}
