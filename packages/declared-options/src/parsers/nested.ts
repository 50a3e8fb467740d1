import { readOptions, type Declaration, type Parsed } from '../declaration.js'
import { parser, type Parser } from '../parser.js'
import { isPlainObject } from '../show.js'

/** An object with options of its own. */
export function object<D extends Declaration>(declaration: D, expected: string): Parser<Parsed<D>> {
  return parser({
    expected,
    read: (value, place) => (isPlainObject(value) ? readOptions(value, declaration, place) : undefined),
  })
}

/** A list of at least one member, each read by the same parser. */
export function listOf<T>(member: Parser<T>, expected: string): Parser<readonly T[]> {
  return parser({
    expected,
    fromText: member.fromText,
    read(value, place) {
      if (!Array.isArray(value) || value.length === 0) return undefined
      // Not map: it skips the holes of a sparse list.
      return Object.freeze(
        Array.from(value, (one: unknown, index) =>
          member.read(one, { ...place, option: `${place.option}[${index}]` }),
        ),
      )
    },
  })
}

/** One value, or a list of them. */
export function oneOrMore<T>(member: Parser<T>): Parser<readonly T[]> {
  const list = listOf(member, member.expected)
  return {
    ...list,
    read: (value, place) =>
      Array.isArray(value) ? list.read(value, place) : Object.freeze([member.read(value, place)]),
  }
}

/** Another way to write a value: `expand` turns it into what the parser reads. */
export function shorthand<T>(full: Parser<T>, expand: (value: unknown) => unknown): Parser<T> {
  return { ...full, read: (value, place) => full.read(expand(value), place) }
}
