import { setTimeout as delay } from 'node:timers/promises'

/** Something that is done again and again until it is stopped. */
export interface BackgroundWork {
  /** Lets the round that runs end, and starts no other. */
  stop(): Promise<void>
}

/**
 * Does `round` at once and then again: without a pause while it finds something to do, else `pauseMs` later. A round
 * that fails is reported, and the next one comes.
 * @param round resolves to how much it did
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
