/**
 * Where a signature is best verified. `alone`: nothing else is to be done, so @fastify/jwt does it in its own time;
 * `here` and `pool`: signatures come close upon each other, and each microsecond counts.
 */
export type Place = 'alone' | 'here' | 'pool'

/** Tells where the next signature is best verified. */
export interface ThreadPool {
  /** Call once for each signature. */
  nextPlace(): Place
  /** Counts a verification for as long as it is in the pool. */
  run<T>(work: Promise<T>): Promise<T>
}

/**
 * More is not queued: file system and name look-ups share the pool, and wait for 6 ms behind so many signatures of 0.1 ms on
 * four threads. A lower limit leaves the pool idle: while the main thread verifies, it does not see that there is room.
 */
const mostPending = 256
/** A lone request is answered soonest by the thread that it is on. */
const quietMs = 1

/** @param now milliseconds of a clock that runs evenly */
export function createThreadPool(enabled: boolean, now: () => number = () => performance.now()): ThreadPool {
  let pending = 0
  let last = -Infinity
  const done = (): void => {
    pending -= 1
  }
  return {
    nextPlace() {
      const before = last
      last = now()
      if (pending === 0 && last - before >= quietMs) return 'alone'
      return enabled && pending < mostPending ? 'pool' : 'here'
    },
    run(work) {
      pending += 1
      work.then(done, done)
      return work
    },
  }
}
