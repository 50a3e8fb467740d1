import { parser, type Parser } from '../parser.js'
import { invalid } from '../show.js'

/** Text without white space at its ends. */
export function text(expected: string, pattern: RegExp = /^/): Parser<string> {
  return parser({
    expected,
    fromText: true,
    read: value => (isText(value) && pattern.test(value) ? value : undefined),
  })
}

/** One of a few words. */
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
          if (isText(member) && pattern.test(member)) return member
          throw invalid({ ...place, option: `${place.option}[${index}]` }, member, expected)
        }),
      )
    },
  })
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.trim() === value
}
