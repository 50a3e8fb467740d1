import type { Comparison } from '../harness/comparison.js'
import type { LoadGenerator } from '../harness/load.js'
import type { Repetitions } from '../harness/measure-processes.js'

/** How long a run may take. */
export interface Effort extends Repetitions {
  readonly secondsPerSlice: number
  readonly load: LoadGenerator
  /** Tells the person at the terminal what is being measured. */
  readonly tell: (what: string) => void
}

/** A curve: how a cost grows. */
export interface Growth {
  readonly title: string
  readonly xLabel: string
  readonly yLabel: string
  readonly x: readonly number[]
  readonly lines: Readonly<Record<string, readonly number[]>>
}

/** A measured value with its goal. */
export interface Fact {
  readonly what: string
  /** The median of several processes, or a single value. */
  readonly value: number
  /** The ends of the median's confidence interval, if it was measured in several processes. */
  readonly low?: number
  readonly high?: number
  /** Of that interval. */
  readonly confidence?: number
  readonly unit: string
  readonly atMost?: number
  readonly atLeast?: number
}

/** The result of a question. */
export interface Findings {
  readonly comparisons?: readonly Comparison[]
  readonly growths?: readonly Growth[]
  readonly facts?: readonly Fact[]
}

/** One question about speed and its measurement: one file in `questions/`. */
export interface Question {
  readonly name: string
  readonly title: string
  /** How it is measured, printed above the results. */
  readonly method: string
  /** Takes too long for a run of everything. */
  readonly onlyByName?: boolean
  answer(effort: Effort): Promise<Findings>
}
