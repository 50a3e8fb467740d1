import { readOptions, type Declaration, type Parsed } from '../declaration.js'
import { parser, type Parser } from '../parser.js'
import { isPlainObject } from '../show.js'

/** Accepts an object with nested options. */
export function object<D extends Declaration>(declaration: D, expected: string): Parser<Parsed<D>> {
  return parser({
    expected,
    read: (value, place) => (isPlainObject(value) ? readOptions(value, declaration, place) : undefined),
  })
}

/** Accepts a non-empty list. Parses each item in the list with the given parser. */
export function listOf<T>(member: Parser<T>, expected: string): Parser<readonly T[]> {
  return parser({
    expected,
    fromText: member.fromText,
    read(value, place) {
      if (!Array.isArray(value) || value.length === 0) return undefined
      // Unlike `map`, `Array.from` does not skip the holes in a sparse array.
      return Object.freeze(
        Array.from(value, (one: unknown, index) =>
          member.read(one, { ...place, option: `${place.option}[${index}]` }),
        ),
      )
    },
  })
}

/** Accepts a single value or a non-empty list of values. */
export function oneOrMore<T>(member: Parser<T>): Parser<readonly T[]> {
  const list = listOf(member, member.expected)
  return {
    ...list,
    read: (value, place) =>
      Array.isArray(value) ? list.read(value, place) : Object.freeze([member.read(value, place)]),
  }
}

/**
 * Makes a parser accept a short form of its value too. `expand` converts the short form to the full form before the
 * value is parsed.
 */
export function shorthand<T>(full: Parser<T>, expand: (value: unknown) => unknown): Parser<T> {
  return { ...full, read: (value, place) => full.read(expand(value), place) }
}
