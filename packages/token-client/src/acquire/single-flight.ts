/** Returns a function whose concurrent calls share one run of `start`. */
export function singleFlight<T>(start: () => Promise<T>): () => Promise<T> {
  let running: Promise<T> | undefined
  return () => {
    running ??= start().finally(() => {
      running = undefined
    })
    return running
  }
}
