import { parser, type Parser } from '../parser.js'
import type { Place } from '../place.js'
import { invalid } from '../show.js'

/** Longer text is a mistake, and some of it goes into headers, of which servers and proxies take 8 to 16 KiB. */
const longest = 2_048

/** Text without white space at its ends, of at most 2048 characters. */
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

/** @throws the error of the place if it is longer than any text that makes sense */
export function refuseLong(value: unknown, { option, toError }: Place): void {
  if (typeof value === 'string' && value.length > longest)
    throw toError(`option \`${option}\` is ${value.length} characters long; expected at most ${longest}`)
}

/** One of a list of words. */
export function oneOf<const T extends string>(
  words: readonly T[],
  expected: string = words
    .map(word => `'${word}'`)
    .join(', ')
    .replace(/, (?=[^,]*$)/, ' or '),
): Parser<T> {
  return parser({ expected, fromText: true, read: value => words.find(word => word === value) })
}

/** What a list of texts may be. */
interface ListRules {
  /** What each member matches. */
  readonly pattern?: RegExp
  /** Whether the list may be empty. Default false. */
  readonly mayBeEmpty?: boolean
}

/** A list of texts. */
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
