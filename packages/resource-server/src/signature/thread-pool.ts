/** Decides which signatures are verified in Node's thread pool, and counts those that are there. */
export interface ThreadPool {
  /** Whether the next signature should go to the pool; call it once for each signature. */
  takesNext(): boolean
  /** Counts a verification for as long as it is in the pool. */
  run<T>(work: Promise<T>): Promise<T>
}

/**
 * File system and name look-ups share the pool: behind 256 signatures of 0.1 ms on four threads they wait for 6 ms. A
 * lower limit leaves the pool idle, because the main thread cannot refill it while it verifies a signature itself.
 */
const maxPending = 256
/** Signatures that are further apart than this are no burst: the pool would only add the way there and back. */
const quietMs = 1

/** @param now milliseconds of a monotonic clock */
export function createThreadPool(enabled: boolean, now: () => number = () => performance.now()): ThreadPool {
  let pending = 0
  let last = -Infinity
  const done = (): void => {
    pending -= 1
  }
  return {
    takesNext() {
      if (!enabled) return false
      const before = last
      last = now()
      const isBurst = pending > 0 || last - before < quietMs
      return isBurst && pending < maxPending
    },
    run(work) {
      pending += 1
      work.then(done, done)
      return work
    },
  }
}
