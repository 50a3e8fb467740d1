import type { Contender, Measured, Measure, Started } from './contender.js'
import { median } from './interval.js'
import { settle } from './settle.js'

/** Contender → one number per process; null if the contender cannot be measured. */
export type Numbers = Readonly<Record<string, readonly number[] | null>>

/** A number per process and contender: the median of its slices. */
export interface MeasuredProcesses {
  readonly rates: Numbers
  readonly processor: Numbers
  readonly instructions: Numbers
}

export interface Repetitions {
  /** Of each contender. The result depends on how V8 happens to optimise a process, so one process says little. */
  readonly processes: number
  /** Of each process. */
  readonly slices: number
}

/**
 * Starts every contender several times. In each repetition all contenders run side by side, each settled on its own and
 * then measured slice by slice in alternation, so that whatever slows the machine down slows all of them.
 */
export async function measureProcesses(
  contenders: readonly Contender[],
  { processes, slices }: Repetitions,
  tell: (what: string) => void,
): Promise<MeasuredProcesses> {
  const repetitions: Map<string, readonly Measured[]>[] = []
  for (let process = 0; process < processes; process += 1) {
    tell(`process ${process + 1} of ${processes}`)
    const present = contenders.filter(({ mostProcesses = processes }) => process < mostProcesses)
    repetitions.push(await measureOnce(rotated(present, process), slices))
  }
  const numbersOf = (measure: Measure): Numbers =>
    Object.fromEntries(contenders.map(({ name }) => [name, numbersFor(name, measure, repetitions)]))
  return {
    rates: numbersOf('rate'),
    processor: numbersOf('processor'),
    instructions: numbersOf('instructions'),
  }
}

async function measureOnce(
  contenders: readonly Contender[],
  slices: number,
): Promise<Map<string, readonly Measured[]>> {
  const started = new Map<string, Started>()
  const measured = new Map<string, Measured[]>()
  try {
    for (const contender of contenders) {
      const process = await contender.start()
      if (process === null) continue
      started.set(contender.name, process)
      measured.set(contender.name, [])
      // Before the next one starts: V8 learns badly about a process that starts beside others and then waits.
      await settle(process)
    }
    for (let slice = 0; slice < slices; slice += 1)
      for (const [name, process] of rotated([...started], slice))
        measured.get(name)?.push(await process.measure())
    return measured
  } finally {
    await Promise.all([...started.values()].map(process => process.stop()))
  }
}

function numbersFor(
  name: string,
  measure: Measure,
  repetitions: readonly ReadonlyMap<string, readonly Measured[]>[],
): readonly number[] | null {
  const numbers = repetitions.flatMap(repetition => {
    const values = (repetition.get(name) ?? []).flatMap(measured => measured[measure] ?? [])
    return values.length === 0 ? [] : [median(values)]
  })
  return numbers.length === 0 ? null : numbers
}

/** So that none is always first. */
function rotated<Item>(items: readonly Item[], by: number): readonly Item[] {
  const first = by % Math.max(1, items.length)
  return [...items.slice(first), ...items.slice(0, first)]
}
