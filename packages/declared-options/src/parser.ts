import type { Place } from './place.js'
import { invalid } from './show.js'

/** Checks the value of one option. */
export interface Parser<T> {
  /** What a valid value is, to follow "expected". */
  readonly expected: string
  /**
   * Whether values usually come from the environment, or from a table of names. `undefined` is then an unset variable or
   * a misspelt name, and an error; for other options it means that the option is left out.
   */
  readonly fromText: boolean
  /** Reads a value, which is not undefined unless `fromText` is false. @throws the error of the place */
  readonly read: (value: unknown, place: Place) => T
  /** The value of an option that is left out. @throws the error of the place if it is required */
  readonly absent: (place: Place) => T
}

/** What {@link parser} needs. */
export interface ParserParts<T> {
  /** What a valid value is, to follow "expected". */
  readonly expected: string
  /** See {@link Parser}. Default false. */
  readonly fromText?: boolean
  /** Reads a value; `undefined` means that it is not valid. */
  readonly read: (value: unknown, place: Place) => T | undefined
}

/** A parser of a required option. */
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

/** The option may be left out. */
export function optional<T>(required: Parser<T>): Parser<T | undefined> {
  return { ...required, absent: () => undefined }
}

/** The option may be left out; its value is then `fallback`. */
export function withDefault<T>(required: Parser<T>, fallback: T): Parser<T> {
  return { ...required, absent: () => fallback }
}
