/** Rates of several contenders, measured in alternation: one number a round for each. */
export interface Comparison {
  readonly title: string
  /** What the rates count, a second. */
  readonly unit: string
  /** Contender → its rate in each round; null where it can't do this at all. */
  readonly rates: Readonly<Record<string, readonly number[] | null>>
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

/** The ratio in each round, so that what slows the whole machine down for a while slows both. */
export function ratio({ rates }: Comparison, contender: string, baseline: string): Spread | undefined {
  const [above, below] = [rates[contender], rates[baseline]]
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

/** One thing that is measured: does its work for a slice of time and returns a rate, a second. */
export interface Contender {
  readonly name: string
  measure(): Promise<number>
}

/**
 * Measures in alternation. Each round begins with another contender, so that none is always first; one slice each
 * before the first round is dropped.
 */
export async function alternate(
  contenders: readonly Contender[],
  rounds: number,
  onRound: (round: number) => void = () => {},
): Promise<Record<string, number[]>> {
  const rates: Record<string, number[]> = Object.fromEntries(contenders.map(({ name }) => [name, []]))
  for (const contender of contenders) await contender.measure()
  for (let round = 0; round < rounds; round += 1) {
    onRound(round)
    for (const index of contenders.keys()) {
      const contender = contenders[(index + round) % contenders.length]
      if (contender !== undefined) rates[contender.name]?.push(await contender.measure())
    }
  }
  return rates
}
