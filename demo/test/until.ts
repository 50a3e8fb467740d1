/** Long enough for a machine that has much other work, in milliseconds. */
export const patienceMs = 120_000
const pauseMs = 25

/**
 * Looks again until it finds what comes in its own time.
 * @param look resolves to undefined or false while it is not there
 * @returns what it found
 * @throws naming what has not come
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
