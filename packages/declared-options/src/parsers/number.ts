import { parser, type Parser } from '../parser.js'

/** The minimum and maximum values, both inclusive. */
interface Bounds {
  readonly min?: number
  readonly max?: number
}

/** The longest delay that Node's timers support. A timer with a longer delay fires immediately. */
const longestTimerMs = 2 ** 31 - 1

/** Accepts a duration in milliseconds, by default from 0 to 2³¹ − 1, the longest delay that Node's timers support. */
export function milliseconds({ min = 0, max = longestTimerMs }: Bounds = {}): Parser<number> {
  return parser({
    expected: `a number of milliseconds from ${min} to ${max}`,
    read: value => (typeof value === 'number' && value >= min && value <= max ? value : undefined),
  })
}

/** Accepts a whole number. */
export function count({ min = 0, max = Number.MAX_SAFE_INTEGER }: Bounds = {}): Parser<number> {
  return parser({
    expected: `a whole number from ${min} to ${max}`,
    read: value =>
      typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max
        ? value
        : undefined,
  })
}

/** Accepts a number greater than 0 and less than 1. */
export function fraction(): Parser<number> {
  return parser({
    expected: 'a number between 0 and 1',
    read: value => (typeof value === 'number' && value > 0 && value < 1 ? value : undefined),
  })
}
