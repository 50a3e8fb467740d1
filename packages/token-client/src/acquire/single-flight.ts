/**
 * Returns a function that calls `start`. Concurrent calls of the returned function share one call of `start` and its
 * result.
 */
export function singleFlight<T>(start: () => Promise<T>): () => Promise<T> {
  let running: Promise<T> | undefined
  return () => {
    running ??= start().finally(() => {
      running = undefined
    })
    return running
  }
}
