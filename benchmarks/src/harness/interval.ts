/** A median with the range that holds the true median, so far as the values can tell. */
export interface Interval {
  readonly median: number
  readonly low: number
  readonly high: number
  /** The probability that it does, from 0 to 1. */
  readonly confidence: number
}

/** Less decides nothing. Six values are enough. */
export const enough = 0.95

/**
 * The median and its confidence interval from order statistics: exact for any distribution, and without random numbers.
 * The interval is the narrowest symmetric one that holds the true median with enough confidence. With fewer than six
 * values none does, and the whole range is returned.
 */
export function interval(values: readonly number[]): Interval {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (index: number): number => sorted[index] ?? Number.NaN
  const middle = (sorted.length - 1) / 2
  let cut = 0
  while (cut + 1 <= middle && coverage(sorted.length, cut + 1) >= enough) cut += 1
  return {
    median: (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2,
    low: at(cut),
    high: at(sorted.length - 1 - cut),
    confidence: coverage(sorted.length, cut),
  }
}

export function median(values: readonly number[]): number {
  return interval(values).median
}

/**
 * The probability that the true median lies between the values that remain when `cut` of them are dropped at each end:
 * one minus both tails of the binomial distribution B(count, ½).
 */
export function coverage(count: number, cut: number): number {
  let tail = 0
  let ways = 1
  for (let k = 0; k <= cut; k += 1) {
    tail += ways
    ways = (ways * (count - k)) / (k + 1)
  }
  return 1 - (2 * tail) / 2 ** count
}
