import { install, type Clock } from '@sinonjs/fake-timers'

/** Time that passes only when it is told to: timers and `performance.now` of the whole process, until `restore`. */
export class SimulatedTime {
  readonly #clock: Clock = install({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }) as Clock

  /** Milliseconds since the simulation began. */
  get now(): number {
    return this.#clock.now
  }

  get pendingTimers(): number {
    return this.#clock.countTimers()
  }

  /** Runs every timer that is due within this time, in order, and everything that follows from it. */
  async advance(ms: number): Promise<void> {
    let isOver = false
    await settle()
    this.#clock.setTimeout(() => {
      isOver = true
    }, ms)
    while (!isOver) {
      this.#clock.next()
      await settle()
    }
  }

  restore(): void {
    this.#clock.uninstall()
  }
}

/** Runs work in simulated time; the time goes on as usual afterwards. */
export async function inSimulatedTime(work: (time: SimulatedTime) => Promise<void>): Promise<void> {
  const time = new SimulatedTime()
  try {
    await work(time)
  } finally {
    time.restore()
  }
}

/** Waits in simulated time. */
export function pause(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms))
}

/** Every promise that can settle without a timer has settled. */
function settle(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}
