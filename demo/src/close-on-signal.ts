import closeWithGrace from 'close-with-grace'
import { sayClosing, sayCrash, sayEndedAtOnce, sayFailure } from './terminal.js'

/**
 * Calls `close` when the process receives a signal to end; a second Ctrl+C ends the process at once. An unhandled error
 * also closes, and its stack is printed.
 * @param close waits for running work
 * @param longestMs the process ends after this time even if `close` has not finished
 * @returns a function that closes now
 */
export function closeOnSignal(close: () => Promise<void>, longestMs: number): () => Promise<void> {
  const { close: closeNow } = closeWithGrace(
    {
      delay: longestMs,
      logger: { error: sayFailure },
      onSecondSignal: sayEndedAtOnce,
      onSecondError: error => sayCrash(error),
      onTimeout: ms => sayFailure(`Closing took longer than ${ms / 1000} s, so the process ends now.`),
    },
    async ({ err, signal }) => {
      if (err !== undefined) sayCrash(err)
      else if (signal !== undefined) sayClosing()
      await close()
    },
  )
  return closeNow as () => Promise<void>
}
