import { parser, type Parser } from '../parser.js'

/** The least and the greatest value. */
interface Bounds {
  readonly min?: number
  readonly max?: number
}

/** Node's timers count in 32 bits; a longer one fires at once. */
const longestTimerMs = 2 ** 31 - 1

/** A duration in milliseconds. Default bounds: 0 and what Node's timers can count. */
export function milliseconds({ min = 0, max = longestTimerMs }: Bounds = {}): Parser<number> {
  return parser({
    expected: `milliseconds, from ${min} to ${max}`,
    read: value => (typeof value === 'number' && value >= min && value <= max ? value : undefined),
  })
}

/** A whole number. */
export function count({ min = 0, max = Number.MAX_SAFE_INTEGER }: Bounds = {}): Parser<number> {
  return parser({
    expected: `a whole number from ${min} to ${max}`,
    read: value =>
      typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max
        ? value
        : undefined,
  })
}

/** A number between 0 and 1, neither of them included. */
export function fraction(): Parser<number> {
  return parser({
    expected: 'a number between 0 and 1',
    read: value => (typeof value === 'number' && value > 0 && value < 1 ? value : undefined),
  })
}
