import type { Place } from './place.js'
import { invalid } from './show.js'

/** Parses and validates the value of one option. */
export interface Parser<T> {
  /** Describes the valid values. Error messages show this description after "expected". */
  readonly expected: string
  /**
   * Whether the value usually comes from an environment variable. If true, an option that is explicitly set to
   * `undefined` is an error, because the variable is probably unset. If false, `undefined` means that the option is
   * absent.
   */
  readonly fromText: boolean
  /** Validates and converts a value. @throws the error that `place.toError` creates, if the value is invalid */
  readonly read: (value: unknown, place: Place) => T
  /**
   * Returns the value to use if the option is absent.
   * @throws the error that `place.toError` creates, if the option is required
   */
  readonly absent: (place: Place) => T
}

/** The argument of {@link parser}. */
export interface ParserParts<T> {
  /** Describes the valid values. Error messages show this description after "expected". */
  readonly expected: string
  /** Whether the value usually comes from an environment variable. Default false. */
  readonly fromText?: boolean
  /** Validates and converts a value. Returns undefined if the value is invalid. */
  readonly read: (value: unknown, place: Place) => T | undefined
}

/** Creates a parser for a required option. */
export function parser<T>({ expected, fromText = false, read }: ParserParts<T>): Parser<T> {
  return {
    expected,
    fromText,
    read(value, place) {
      const result = read(value, place)
      if (result === undefined) throw invalid(place, value, expected)
      return result
    },
    absent({ option, toError }) {
      throw toError(`option \`${option}\` is missing; expected ${expected}`)
    },
  }
}

/** Makes an option optional. Its value is undefined if the option is absent. */
export function optional<T>(required: Parser<T>): Parser<T | undefined> {
  return { ...required, absent: () => undefined }
}

/** Makes an option optional, with `fallback` as its default. */
export function withDefault<T>(required: Parser<T>, fallback: T): Parser<T> {
  return { ...required, absent: () => fallback }
}
