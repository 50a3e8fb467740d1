import { parser, type Parser } from '../parser.js'
import type { Place } from '../place.js'
import { invalid } from '../show.js'

/**
 * The maximum length in characters. Some options are sent in HTTP headers, and many servers limit the total size of
 * headers to 8 or 16 KiB.
 */
const longest = 2_048

/** Accepts text of at most 2048 characters without leading or trailing whitespace. */
export function text(expected: string, pattern: RegExp = /^/): Parser<string> {
  return parser({
    expected,
    fromText: true,
    read(value, place) {
      refuseLong(value, place)
      return isText(value) && pattern.test(value) ? value : undefined
    },
  })
}

/** @throws the error that `toError` creates, if the value is text of more than 2048 characters */
export function refuseLong(value: unknown, { option, toError }: Place): void {
  if (typeof value === 'string' && value.length > longest)
    throw toError(`option \`${option}\` is ${value.length} characters long; expected at most ${longest}`)
}

/** Accepts one of the listed words. */
export function oneOf<const T extends string>(
  words: readonly T[],
  expected: string = words
    .map(word => `'${word}'`)
    .join(', ')
    .replace(/, (?=[^,]*$)/, ' or '),
): Parser<T> {
  return parser({ expected, fromText: true, read: value => words.find(word => word === value) })
}

/** Rules for {@link strings}. */
interface ListRules {
  /** The regular expression that each string in the list must match. */
  readonly pattern?: RegExp
  /** Whether the list may be empty. Default false. */
  readonly mayBeEmpty?: boolean
}

/** Accepts a list of strings, each without leading or trailing whitespace. */
export function strings(
  expected: string,
  { pattern = /^/, mayBeEmpty = false }: ListRules = {},
): Parser<readonly string[]> {
  return parser({
    expected,
    fromText: true,
    read(value, place) {
      if (!Array.isArray(value) || (value.length === 0 && !mayBeEmpty)) return undefined
      return Object.freeze(
        Array.from(value, (member: unknown, index) => {
          const at = { ...place, option: `${place.option}[${index}]` }
          refuseLong(member, at)
          if (isText(member) && pattern.test(member)) return member
          throw invalid(at, member, expected)
        }),
      )
    },
  })
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.trim() === value
}
