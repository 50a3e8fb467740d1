/** Time limit for a step on a busy machine, in milliseconds. */
export const patienceMs = 120_000
const pauseMs = 25

/**
 * Repeats `look` until it finds something.
 * @param look resolves to undefined or false to be called again
 * @returns what it found
 * @throws naming `what` after the time limit
 */
export async function until<T>(
  what: string,
  look: () => Promise<T | undefined | false> | T | undefined | false,
  withinMs = patienceMs,
): Promise<T> {
  const started = performance.now()
  for (;;) {
    const found = await look()
    if (found !== undefined && found !== false) return found
    if (performance.now() - started > withinMs) throw new Error(`not in ${withinMs} ms: ${what}`)
    await new Promise(resolve => setTimeout(resolve, pauseMs))
  }
}
