import { interval } from '../harness/interval.js'
import type { Fact } from './question.js'

/** A fact from one value per process: the median with its confidence interval. */
export function fact(
  what: string,
  values: readonly number[],
  unit: string,
  goal: Pick<Fact, 'atLeast' | 'atMost'> = {},
): Fact {
  const { median: value, ...range } = interval(values)
  return { what, value, ...range, unit, ...goal }
}
