/** Decides which signatures are verified in Node's thread pool, and counts the running verifications. */
export interface ThreadPool {
  /** Returns whether the next signature should be verified in the thread pool. Call it once for each signature. */
  takesNext(): boolean
  /** Counts a verification as running until its promise settles. */
  run<T>(work: Promise<T>): Promise<T>
}

/**
 * The maximum number of signatures in the thread pool. File access and DNS lookups use the same pool: if 256
 * signatures, each of which takes 0.1 ms, are queued for four threads, such operations wait 6 ms. With a lower maximum,
 * the threads would have nothing to do while the main thread itself verifies a signature.
 */
const maxPending = 256
/**
 * The maximum time between two signatures of a burst, in milliseconds. Outside of bursts, the thread pool would only
 * add overhead.
 */
const quietMs = 1

/** @param now returns the time of a monotonic clock in milliseconds */
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
