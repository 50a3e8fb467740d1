import { parser, type Parser } from '../parser.js'

/** The minimum and maximum value, both inclusive. */
interface Bounds {
  readonly min?: number
  readonly max?: number
}

/** The longest delay of Node's timers. A timer with a longer delay fires at once. */
const longestTimerMs = 2 ** 31 - 1

/** Accepts a duration in milliseconds. Default bounds: 0 and 2³¹ − 1, the longest delay of Node's timers. */
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

/** Accepts a number between 0 and 1, both exclusive. */
export function fraction(): Parser<number> {
  return parser({
    expected: 'a number between 0 and 1',
    read: value => (typeof value === 'number' && value > 0 && value < 1 ? value : undefined),
  })
}
