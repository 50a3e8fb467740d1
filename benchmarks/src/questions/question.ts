import type { Comparison } from '../harness/comparison.js'
import type { LoadGenerator } from '../harness/load.js'

/** How long a run may take. */
export interface Effort {
  readonly rounds: number
  /** Of each contender in each round. */
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

/** A measured value with what it should be. */
export interface Fact {
  readonly what: string
  readonly value: number
  readonly unit: string
  readonly atMost?: number
  readonly atLeast?: number
}

/** What measuring came to. */
export interface Findings {
  readonly comparisons?: readonly Comparison[]
  readonly growths?: readonly Growth[]
  readonly facts?: readonly Fact[]
}

/** One question about speed, and how it is answered: one file in `questions/`. */
export interface Question {
  readonly name: string
  readonly title: string
  /** How it is measured, for the reader of the results. */
  readonly method: string
  /** Takes too long for a run of everything. */
  readonly onlyByName?: boolean
  answer(effort: Effort): Promise<Findings>
}
