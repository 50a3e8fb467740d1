import { install, type Clock } from '@sinonjs/fake-timers'

/**
 * Replaces the timers and `performance.now` of the whole process until `restore` is called. Time passes only during `advance`.
 */
export class SimulatedTime {
  readonly #clock: Clock = install({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }) as Clock

  /** The simulated time in milliseconds since the start of the simulation. */
  get now(): number {
    return this.#clock.now
  }

  get pendingTimers(): number {
    return this.#clock.countTimers()
  }

  /**
   * Advances the time by the given number of milliseconds. Runs all timers that become due, and then the promise
   * callbacks that these timers trigger.
   */
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

/** Runs `work` in simulated time and restores the real time afterwards. */
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

/** Waits until all promises that do not depend on a timer have settled. */
function settle(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}
