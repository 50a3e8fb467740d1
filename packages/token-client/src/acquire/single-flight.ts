/** One running promise, however many wait for it. */
export function singleFlight<T>(start: () => Promise<T>): () => Promise<T> {
  let running: Promise<T> | undefined
  return () => {
    running ??= start().finally(() => {
      running = undefined
    })
    return running
  }
}
