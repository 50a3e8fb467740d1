/** The result of one slice of time. */
export interface Measured {
  /** Requests, calls or receipts per second. */
  readonly rate: number
  /** Microseconds of processor time per request, of all threads of the measured process. */
  readonly processor?: number
  /** Instructions per request in user mode, where the machine can count them. */
  readonly instructions?: number
}

/** What is counted in a slice. */
export type Measure = keyof Measured

/** A contender in a process of its own. */
export interface Started {
  readonly measure: () => Promise<Measured>
  readonly stop: () => Promise<void>
}

/** Something that can be started any number of times, each time in a fresh process. */
export interface Contender {
  readonly name: string
  /** At most so many processes; as many as asked for by default. */
  readonly mostProcesses?: number
  /** Returns null if it does not support what is asked for, such as an algorithm. */
  start(): Promise<Started | null>
}

/** A contender that no goal concerns: fewer processes are enough to show the order of magnitude. */
export function asPeer(contender: Contender): Contender {
  return { ...contender, mostProcesses: 2 }
}
