import { LRUCache } from 'lru-cache'

/** Values by the `Authorization` header they belong to; the least recently used is discarded first. */
export interface TokenMap<Value> {
  get(header: string): Value | undefined
  set(header: string, value: Value): void
  delete(header: string): void
  readonly size: number
}

/**
 * @param max how many headers are kept
 * @param maxCharacters maximum total length of the headers in characters; unlimited by default
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
 * A copy in one piece: comparing two of those is fast, and a string that was cut out of a longer one would keep that in
 * memory.
 */
function flat(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1')
}

/** The end of a header belongs to the token's signature, which differs from token to token. */
const tailLength = 12

/**
 * A 32-bit hash of the last characters. A `Map` by the whole text would cost more than the rest of the guard, because V8
 * hashes a string character by character; comparing two equal strings costs next to nothing. Of two headers with the
 * same hash, the later one replaces the earlier one.
 */
function hashOfEnd(text: string): number {
  let hash = 0
  for (let index = Math.max(0, text.length - tailLength); index < text.length; index += 1)
    hash = (Math.imul(hash, 31) + text.charCodeAt(index)) | 0
  return hash
}
