import { interval, type Interval } from './interval.js'
import type { MeasuredProcesses, Numbers } from './measure-processes.js'

/** Contenders that were measured side by side, in several processes each. */
export interface Comparison extends Partial<MeasuredProcesses> {
  readonly title: string
  /** The unit of the rates. */
  readonly unit: string
  readonly rates: Numbers
  /** The contenders that the others are compared with. */
  readonly baselines: readonly string[]
  readonly goals: readonly Goal[]
}

/** The whole interval of a contender's ratio to a baseline has to be at least this. */
export interface Goal {
  readonly contender: string
  readonly of: string
  readonly atLeast: number
}

/** The ratio of processes that ran side by side. Undefined if one of the two was not measured. */
export function ratio(
  numbers: Numbers | undefined,
  contender: string,
  baseline: string,
): Interval | undefined {
  const above = numbers?.[contender]
  const below = numbers?.[baseline]
  if (!above || !below) return undefined
  return interval(above.map((value, process) => value / (below[process] ?? Number.NaN)))
}
