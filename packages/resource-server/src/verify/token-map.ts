import { LRUCache } from 'lru-cache'

/** A map from `Authorization` headers to values. The least recently used entry is discarded first. */
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
 * Copies the text to one flat string. Comparing flat strings is fast, and a slice would keep the longer string in
 * memory.
 */
function flat(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1')
}

/** The end of the header is the end of the token's signature, which differs between tokens. */
const tailLength = 12

/**
 * Hashes the last characters to 32 bits. A `Map` with the header as key would be slower than the rest of the guard,
 * because V8 hashes every character. Comparing two equal strings is cheap. If two headers have the same hash, the later
 * one replaces the earlier one.
 */
function hashOfEnd(text: string): number {
  let hash = 0
  for (let index = Math.max(0, text.length - tailLength); index < text.length; index += 1)
    hash = (Math.imul(hash, 31) + text.charCodeAt(index)) | 0
  return hash
}
