import { LRUCache } from 'lru-cache'

/** What is known of tokens, by their text; what was not asked for the longest time is forgotten first. */
export interface TokenMap<Known> {
  get(raw: string): Known | undefined
  /** The same by a whole `Authorization` header, spelled as it usually is. */
  getByHeader(header: string): Known | undefined
  /** @param header the whole header it came in, where that is at hand */
  set(raw: string, known: Known, header?: string): void
  /** Forgets the token at the end of this text. */
  delete(text: string): void
  readonly size: number
}

interface Entry<Known> {
  readonly raw: string
  /** The usual header with this token, as one piece: two of those are compared at once. */
  readonly header: string
  readonly known: Known
}

/**
 * @param max how many tokens are kept
 * @param maxCharacters how long they may be together; by default, as long as they are
 */
export function createTokenMap<Known>(max: number, maxCharacters?: number): TokenMap<Known> {
  const entries = new LRUCache<number, Entry<Known>>(
    maxCharacters === undefined
      ? { max }
      : { max, maxSize: maxCharacters, sizeCalculation: ({ header }) => header.length },
  )
  return {
    get(raw) {
      const entry = entries.get(placeOf(raw))
      return entry?.raw === raw ? entry.known : undefined
    },
    getByHeader(header) {
      const entry = entries.get(placeOf(header))
      return entry?.header === header ? entry.known : undefined
    },
    set(raw, known, whole) {
      const header = whole?.startsWith('Bearer ') === true ? whole : copyOf(`Bearer ${raw}`)
      entries.set(placeOf(raw), { raw: header.slice('Bearer '.length), header, known })
    },
    delete(text) {
      entries.delete(placeOf(text))
    },
    get size() {
      return entries.size
    },
  }
}

/** A text by itself: one that was cut out of a longer one, or put together, holds on to what it was made of. */
function copyOf(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1')
}

/** Characters at the end of a token that choose its place: they belong to its signature. */
const tailLength = 12

/**
 * A number of 32 bits from the end of a text. To look a token up by all of its text would cost more than the rest of the
 * guard, since V8 hashes a string one character after the other; that two strings are equal costs it next to nothing.
 * Tokens that meet at one place push each other out, and are verified again.
 */
function placeOf(text: string): number {
  let place = 0
  for (let index = Math.max(0, text.length - tailLength); index < text.length; index += 1)
    place = (Math.imul(place, 31) + text.charCodeAt(index)) | 0
  return place
}
