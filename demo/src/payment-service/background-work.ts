import { setTimeout as delay } from 'node:timers/promises'

/** Work that repeats until it is stopped. */
export interface BackgroundWork {
  /** Waits for the running round, and starts no other. */
  stop(): Promise<void>
}

/**
 * Runs `round` repeatedly: at once if it did something, otherwise after `pauseMs`. A failed round is reported and
 * counts as one that did nothing.
 * @param round resolves to the number of items it processed
 */
export function startBackgroundWork(
  round: () => Promise<number>,
  pauseMs: number,
  onError: (error: unknown) => void,
): BackgroundWork {
  const stopping = new AbortController()
  const done = run()

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      const did = await round().catch(reportNothingDone)
      if (did === 0) await delay(pauseMs, undefined, { signal: stopping.signal }).catch(() => {})
    }
  }

  function reportNothingDone(error: unknown): number {
    onError(error)
    return 0
  }

  return {
    async stop() {
      stopping.abort()
      await done
    },
  }
}
