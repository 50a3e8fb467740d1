import type { Place } from './place.js'
import { invalid } from './show.js'

/** Checks the value of one option. */
export interface Parser<T> {
  /** Describes a valid value; error messages show it after "expected". */
  readonly expected: string
  /**
   * Whether the value usually comes from an environment variable. If so, `undefined` is an error, because the variable is
   * probably unset. Otherwise `undefined` means that the option is absent.
   */
  readonly fromText: boolean
  /** Checks and converts a value. The value is never undefined if `fromText` is true. @throws the library's error */
  readonly read: (value: unknown, place: Place) => T
  /** Returns the value of an absent option. @throws the library's error if the option is required */
  readonly absent: (place: Place) => T
}

/** The parts of a {@link parser}. */
export interface ParserParts<T> {
  /** Describes a valid value; error messages show it after "expected". */
  readonly expected: string
  /** Whether the value usually comes from an environment variable. Default false. */
  readonly fromText?: boolean
  /** Checks and converts a value; returns undefined if the value is invalid. */
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

/** Makes an option optional. */
export function optional<T>(required: Parser<T>): Parser<T | undefined> {
  return { ...required, absent: () => undefined }
}

/** Makes an option optional, with `fallback` as its default. */
export function withDefault<T>(required: Parser<T>, fallback: T): Parser<T> {
  return { ...required, absent: () => fallback }
}
