import { parser, type Parser } from '../parser.js'
import { show } from '../show.js'

/** Accepts true or false. */
export function boolean(): Parser<boolean> {
  return parser({
    expected: 'true or false',
    read: value => (typeof value === 'boolean' ? value : undefined),
  })
}

/**
 * Accepts any function. The parser cannot check what the function returns, so the caller of the function must check
 * each result.
 */
export function callback<F extends (...given: never[]) => unknown>(expected: string): Parser<F> {
  // The cast is needed because the parameters and the result of a function cannot be checked at runtime.
  return parser({ expected, read: value => (typeof value === 'function' ? (value as F) : undefined) })
}

/** Accepts an object that has the given methods. Error messages do not show the object. */
export function instance<T>(methods: readonly (keyof T & string)[], expected: string): Parser<T> {
  return parser({
    expected,
    read(value, { option, toError }) {
      const given = value as Readonly<Record<string, unknown>> | null
      // The cast is needed because only the presence of the methods can be checked.
      if (methods.every(method => typeof given?.[method] === 'function')) return value as T
      throw toError(`option \`${option}\` is not ${expected}`)
    },
  })
}

/**
 * Accepts a function that returns milliseconds since the epoch. Calls the function once to check its result. The result
 * of every later call is checked too, because nothing would ever expire if the clock returned NaN.
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

/** If the clock returned a promise, ignores its rejection. An unhandled rejection would terminate the process. */
function ignoreRejection(value: unknown): void {
  if (value instanceof Promise) value.catch(() => {})
}

/** @throws {TypeError} if the clock throws or does not return a finite number. The `cause` contains the details */
function checked(clockOfOthers: () => unknown): number {
  let cause: unknown
  try {
    const time = clockOfOthers()
    if (isTime(time)) return time
    ignoreRejection(time)
    cause = new TypeError(`the clock returned ${show(time)}`)
  } catch (error) {
    cause = error
  }
  throw new TypeError('the clock function did not return a time in milliseconds', { cause })
}
