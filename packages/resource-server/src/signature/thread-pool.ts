/** Decides which signatures are verified in Node's thread pool, and counts the running verifications. */
export interface ThreadPool {
  /** Returns whether the next signature should be verified in the thread pool. Call it once for each signature. */
  takesNext(): boolean
  /** Counts a verification in the thread pool until it is done. */
  run<T>(work: Promise<T>): Promise<T>
}

/**
 * The maximum number of signatures in the thread pool. File access and DNS lookups share the pool: with 256
 * signatures of 0.1 ms on four threads, they wait for 6 ms. With a lower limit, the pool would run empty while the
 * main thread is busy with a signature of its own.
 */
const maxPending = 256
/** If signatures arrive further apart than this, the thread pool would only add overhead. */
const quietMs = 1

/** @param now returns milliseconds of a monotonic clock */
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
