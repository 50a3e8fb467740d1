/** What one slice came to. */
export interface Measured {
  /** A second. */
  readonly rate: number
  /** Microseconds of processor time for one of what is counted, where it can be told. */
  readonly processor?: number
}

/** One thing that is measured for a slice of time. */
export interface Contender {
  readonly name: string
  measure(): Promise<Measured>
}

export interface Alternated {
  readonly rates: Record<string, number[]>
  readonly processor: Record<string, number[]>
}

/** How many slices of each contender are measured. */
interface Slices {
  readonly rounds: number
  /** Those before, which are dropped: V8 has not compiled all of the hot path yet. */
  readonly warmUp?: number
}

/**
 * Measures in alternation. Each round begins with another contender, so that none is always first; what a contender does
 * before the first round is dropped.
 */
export async function alternate(
  contenders: readonly Contender[],
  { rounds, warmUp = 2 }: Slices,
  onRound: (round: number) => void = () => {},
): Promise<Alternated> {
  const rates: Record<string, number[]> = {}
  const processor: Record<string, number[]> = {}
  for (const contender of contenders)
    for (let slice = 0; slice < warmUp; slice += 1) await contender.measure()
  for (let round = 0; round < rounds; round += 1) {
    onRound(round)
    for (const index of contenders.keys()) {
      const contender = contenders[(index + round) % contenders.length]
      if (contender === undefined) continue
      const measured = await contender.measure()
      const { name } = contender
      ;(rates[name] ??= []).push(measured.rate)
      if (measured.processor !== undefined) (processor[name] ??= []).push(measured.processor)
    }
  }
  return { rates, processor }
}
