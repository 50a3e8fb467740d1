/** Rates of several contenders, measured in alternation: one number a round for each. */
export interface Comparison {
  readonly title: string
  /** What the rates count, a second. */
  readonly unit: string
  /** Contender → its rate in each round; null where it can't do this at all. */
  readonly rates: Readonly<Record<string, readonly number[] | null>>
  /** Contender → processor time of its process in each round, in microseconds for one of what is counted. */
  readonly processor?: Readonly<Record<string, readonly number[] | null>>
  /** The contenders that the others are compared with. */
  readonly baselines: readonly string[]
  readonly goals: readonly Goal[]
}

/** A contender's median ratio to a baseline must not be lower than this. */
export interface Goal {
  readonly contender: string
  readonly of: string
  readonly atLeast: number
}

/** A median with the range it came from. */
export interface Spread {
  readonly median: number
  readonly low: number
  readonly high: number
}

type Rounds = Readonly<Record<string, readonly number[] | null>>

/** The ratio in each round, so that what slows the whole machine down for a while slows both. */
export function ratio(rounds: Rounds, contender: string, baseline: string): Spread | undefined {
  const [above, below] = [rounds[contender], rounds[baseline]]
  if (above === null || above === undefined || below === null || below === undefined) return undefined
  return spread(above.map((rate, round) => rate / (below[round] ?? Number.NaN)))
}

export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length / 2
  const upper = sorted[Math.floor(middle)] ?? Number.NaN
  const lower = sorted[Math.ceil(middle) - 1] ?? Number.NaN
  return {
    median: (upper + lower) / 2,
    low: sorted[0] ?? Number.NaN,
    high: sorted.at(-1) ?? Number.NaN,
  }
}
