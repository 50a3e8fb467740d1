import { parser, type Parser } from '../parser.js'
import { show } from '../show.js'

/** true or false. */
export function boolean(): Parser<boolean> {
  return parser({
    expected: 'true or false',
    read: value => (typeof value === 'boolean' ? value : undefined),
  })
}

/** A function; its results are checked where it is called. */
export function callback<F extends (...given: never[]) => unknown>(expected: string): Parser<F> {
  // A function cannot be checked any further.
  return parser({ expected, read: value => (typeof value === 'function' ? (value as F) : undefined) })
}

/** An object with these methods; no error shows it. */
export function instance<T>(methods: readonly (keyof T & string)[], expected: string): Parser<T> {
  return parser({
    expected,
    read(value, { option, toError }) {
      const given = value as Readonly<Record<string, unknown>> | null
      // The methods are what can be checked.
      if (methods.every(method => typeof given?.[method] === 'function')) return value as T
      throw toError(`option \`${option}\` is not ${expected}`)
    },
  })
}

/**
 * A function that returns milliseconds since the epoch. It is called once, and the result of every later call is
 * checked too: with a clock that does not return a number, every comparison is false and nothing ever expires.
 */
export function clock(): Parser<() => number> {
  const expected = 'a function that returns milliseconds since the epoch'
  return parser({
    expected,
    read(value, { option, toError }) {
      if (typeof value !== 'function') return undefined
      const read = value as () => unknown
      const time = read()
      if (isTime(time)) return () => checked(read)
      ignoreRejection(time)
      throw toError(`option \`${option}\` returns ${show(time)}; expected ${expected}`)
    },
  })
}

function isTime(value: unknown): value is number {
  return Number.isFinite(value)
}

/** An unhandled rejection would end the process. */
function ignoreRejection(value: unknown): void {
  if (value instanceof Promise) value.catch(() => {})
}

/** @throws {TypeError} with a message that may be shown to anyone; `cause` has the details */
function checked(clockOfOthers: () => unknown): number {
  let cause: unknown
  try {
    const time = clockOfOthers()
    if (isTime(time)) return time
    ignoreRejection(time)
    cause = new TypeError(`it returned ${show(time)}`)
  } catch (error) {
    cause = error
  }
  throw new TypeError('the option `clock` did not return the time', { cause })
}
